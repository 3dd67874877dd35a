package simulate

import (
	"fmt"
	"strings"
	"time"

	"schulwart.org/agent/host"
)

// perPage is how long a pupil takes for one.
const perPage = 90 * time.Second

// writing is what a pupil does in an examination whose work is collected: it writes
// into the folder that there is. All of it lies in memory.
type writing struct {
	folders  host.FakeFolders
	box      host.FakeFiles // what waits to be handed in
	sessions host.FakeDesktops
	next     time.Duration // simulated time at which the next page is written
	written  int
}

func newWriting() *writing {
	w := &writing{}
	w.sessions.SetDesktops(host.Desktop{UID: 1000, GID: 1000, Display: ":0"})
	return w
}

// write writes the next page, when it is time and where there is a folder.
func (w *writing) write(now time.Duration, who string) {
	if now < w.next {
		return
	}
	text := strings.Repeat(fmt.Sprintf("%s schreibt. ", who), 40*(w.written+1))
	if w.folders.Write("Arbeit.txt", []byte(text)) {
		w.next, w.written = now+perPage, w.written+1
	}
}
