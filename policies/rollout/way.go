package rollout

import "schulwart.org/policies/org"

// Chunk is how many bytes of a file are judged by one hash, so that a device that
// gives out wrong ones is found out at once.
const Chunk = 1 << 20

// SumSize is the length of a chunk's SHA-256 in Way.Sums.
const SumSize = 32

// Chunks returns how many chunks a file has.
func Chunks(size int64) int64 { return (size + Chunk - 1) / Chunk }

// WayOf returns the path at the device door where a device asks from whom it shall
// have a file.
func WayOf(sha256 string) string { return PathOf(sha256) + "/way" }

// Source is from whom a device had bytes last.
type Source string

// The sources.
const (
	FromServer Source = "server"
	FromPeer   Source = "peer"
)

// Ask is a device's question from whom it shall have a file, or go on having it.
type Ask struct {
	// At is where the device gives the file out, "address:port"; empty if it does
	// not. Net is its network as it sees it, "10.1.2.0/24".
	At  string `json:"at,omitempty"`
	Net string `json:"net,omitempty"`
	// Have counts bytes from the file's beginning that are there; FromServer and
	// FromPeers count what came from whom since the last question.
	Have       int64  `json:"have"`
	FromServer int64  `json:"from_server"`
	FromPeers  int64  `json:"from_peers"`
	Last       Source `json:"last,omitempty"`
	// Sums asks for the hashes of chunks.
	Sums bool `json:"sums,omitempty"`
	// Silent names peers that do not answer this device; Lied those that gave it what
	// the file does not hold, each once.
	Silent []org.ID `json:"silent,omitempty"`
	Lied   []org.ID `json:"lied,omitempty"`
}

// Way is the server's answer. A device that can go none of its ways within a time
// of its own takes the file from the server.
type Way struct {
	// Lead says that this device fetches from the server, for the others.
	Lead bool `json:"lead,omitempty"`
	// Share says that it may give out what it has to whoever knows the Word.
	Share bool   `json:"share,omitempty"`
	Word  string `json:"word,omitempty"`
	Peers []Peer `json:"peers,omitempty"`
	// Rate is how many bytes a second the device may take from the server; 0 for as
	// many as come.
	Rate int64 `json:"rate,omitempty"`
	// Keep is how many seconds a device that has the whole file keeps it for others;
	// then it asks again.
	Keep int `json:"keep,omitempty"`
	// Again is after how many seconds to ask again while the file comes.
	Again int    `json:"again"`
	Sums  []byte `json:"sums,omitempty"` // SumSize bytes for each chunk
}

// Peer is a device of the same site that gives the file out.
type Peer struct {
	ID   org.ID `json:"id"` // enrolment that its certificate must name
	At   string `json:"at"`
	Have int64  `json:"have"`
}
