package reconcile

import (
	"encoding/json"
	"maps"

	"schulwart.org/agent/enforce"
	"schulwart.org/policies/ddm"
)

// told to the invigilator at once; the rest stands in the log alone.
var spoken = map[ddm.Deed]string{
	ddm.DeedVirtual: "exam.virtual", ddm.DeedRemote: "exam.remote", ddm.DeedScreens: "exam.screens", ddm.DeedRefused: "exam.refused", ddm.DeedBrowser: "exam.browser",
}

// mostSightings bounds what one examination is told of by one run of the agent.
const mostSightings = 200

// sightings takes down what drivers saw during the examination that holds, each
// value once.
func (l *Loop) sightings() {
	exam := l.holding.Exam
	if exam == nil {
		l.sighted = nil
		return
	}
	for _, driver := range l.config.Drivers {
		watcher, ok := driver.(enforce.Watcher)
		if !ok {
			continue
		}
		for _, s := range watcher.Sightings() {
			data, _ := json.Marshal(s) // texts always marshal
			key := exam.ID + string(data)
			if l.sighted[key] || len(l.sighted) >= mostSightings {
				continue
			}
			if l.sighted == nil {
				l.sighted = map[string]bool{}
			}
			l.sighted[key] = true
			l.noted(s.What, s.Args)
			if event, tell := spoken[s.What]; tell {
				args := maps.Clone(s.Args)
				if args == nil {
					args = map[string]string{}
				}
				args["lease"] = exam.ID
				l.happened(event, args)
			}
		}
	}
}
