package aside

import (
	"context"
	"time"

	"schulwart.org/agent/control"
	"schulwart.org/agent/enforce/linux"
	"schulwart.org/agent/host"
	"schulwart.org/agent/remote"
)

// pupil speaks with the running agent for whoever sits at the desk.
type pupil struct {
	state   string
	machine host.Machine
}

func pupilOf(state string) linux.Pupil {
	if state == "" {
		state = stateDir
	}
	return pupil{state, host.NewMachine(state)}
}

// Stands asks the agent.
func (p pupil) Stands() (linked, hand, ok bool) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	answer, err := control.Ask(ctx, p.state, control.Request{Ask: control.AskStatus})
	if err != nil || answer.Status == nil {
		return false, false, false
	}
	link := answer.Status.Link
	return link != "" && link != string(remote.LinkNone), answer.Status.Hand, true
}

// Hand asks the agent, and asks again for a while: one that was killed is back
// within moments.
func (p pupil) Hand(up bool) string {
	ctx, cancel := context.WithTimeout(context.Background(), 8*time.Second)
	defer cancel()
	for {
		answer, err := control.Ask(ctx, p.state, control.Request{Ask: control.AskHand, Up: up})
		if err == nil && answer.Outcome != nil {
			return answer.Outcome.Key
		}
		select {
		case <-ctx.Done():
			return "release.unheard"
		case <-time.After(500 * time.Millisecond):
		}
	}
}

// Battery reads the machine.
func (p pupil) Battery() (percent *int, charging bool) {
	condition := p.machine.Condition()
	return condition.Battery, condition.Charging != nil && *condition.Charging
}
