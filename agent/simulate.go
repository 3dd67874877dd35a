package main

import (
	"flag"
	"strings"

	"schulwart.org/agent/simulate"
)

// simulateCommand pretends to be devices until the process is told to end.
func simulateCommand(flags *flag.FlagSet) action {
	var o simulate.Options
	flags.IntVar(&o.Devices, "devices", 1, "how many devices")
	flags.Var((*list)(&o.Links), "url", "enrolment link; given several times, the devices are shared out in order")
	flags.StringVar(&o.Plan, "plan", "", `file with a JSON list of devices: [{"name","url"}]`)
	flags.Uint64Var(&o.Seed, "seed", 1, "makes the same devices again")
	flags.BoolVar(&o.Lag, "lag", false, "some devices are slow now and then")
	flags.BoolVar(&o.Drop, "drop", false, "some devices drop out now and then")
	flags.BoolVar(&o.Tamper, "tamper", false, "on some devices somebody tampers now and then")
	flags.Float64Var(&o.Speed, "speed", 1, "how fast time runs")
	flags.StringVar(&o.Control, "control", "", "address on loopback where the devices are seen and handled, such as 127.0.0.1:0")
	flags.StringVar(&o.ControlFile, "control-file", "", "file into which the control address is written")
	return func(at *place, _ []string) error {
		if at.state != defaultState {
			o.State = at.state // then the devices are the same next time
		}
		o.Log = at.log
		return simulate.Run(at.ctx, o)
	}
}

// list is a flag that may be given several times.
type list []string

func (l *list) String() string { return strings.Join(*l, " ") }

// Set adds one.
func (l *list) Set(value string) error {
	*l = append(*l, value)
	return nil
}
