package peek

import (
	"io"
	"time"

	"schulwart.org/policies/agentfile"
	"schulwart.org/policies/rollout"
)

// agent reads the head of another version of our own agent. Who signed it, devices
// decide by keys of their own; here it is only told early that it cannot be right.
func agent(file io.ReaderAt, size int64) (Found, error) {
	head := make([]byte, min(size, agentfile.MostHead))
	if _, err := file.ReadAt(head, 0); err != nil && err != io.EOF {
		return Found{}, err
	}
	f, err := agentfile.Read(head)
	if err != nil {
		return Found{}, damaged(err)
	}
	if f.Offset+f.Size != size {
		return Found{}, damaged(io.ErrUnexpectedEOF)
	}
	return Found{
		Kind: rollout.Agent, Name: f.Name(), Version: f.Version, Architecture: f.Arch,
		Summary: "Floor " + f.Floor + ", expires " + f.Expires.Format(time.DateOnly), Agent: &f,
	}, nil
}
