package linux

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"schulwart.org/agent/enforce"
	"schulwart.org/agent/host"
	"schulwart.org/policies/catalog"
	"schulwart.org/policies/ddm"
)

// printing gives CUPS the school's printers, or keeps it from running. Queues of
// ours begin with a word of their own, so that none of somebody else's is ever
// touched.
var printing = Family{
	Of: catalog.Printing,
	Possible: func(d *Doors, s catalog.Settings) *ddm.Reason {
		if off(s, "allowed") {
			return needsSystemd(d, s)
		}
		if len(s.Items("printers")) == 0 {
			return nil
		}
		return missing(d, "lpadmin", "lpstat")
	},
	Patience: 2 * time.Minute,
	Files: func(s catalog.Settings, _ Before) (map[string]File, error) {
		if off(s, "allowed") {
			return quietUnits(cupsUnits), nil
		}
		return nil, nil
	},
	Apply: func(ctx context.Context, d *Doors, s catalog.Settings) error {
		if off(s, "allowed") {
			return applyUnits(ctx, d, cupsUnits, nil)
		}
		if err := applyUnits(ctx, d, nil, cupsUnits); err != nil {
			return err
		}
		if !d.Commands.Has("lpadmin") || !d.Commands.Has("lpstat") {
			return nil
		}
		return setQueues(ctx, d, s)
	},
	Look: func(ctx context.Context, d *Doors, s catalog.Settings) *enforce.Reading {
		if off(s, "allowed") {
			return lookQuiet(ctx, d, cupsUnits)
		}
		if len(s.Items("printers")) == 0 {
			return nil
		}
		queues, err := readQueues(ctx, d)
		if err != nil {
			return differs("printing.gone", "name", "CUPS")
		}
		for _, printer := range s.Items("printers") {
			if !isQueue(d, queues, printer) {
				return differs("printing.unreachable", "names", printer.Text("name"))
			}
		}
		if first := s.Text("default"); first != "" && defaultQueue(ctx, d) != queueOf(catalog.Settings{"name": first}) {
			return differs("printing.default")
		}
		return nil
	},
}

// cupsUnits are stopped in this order: a socket or path would start the service
// again.
var cupsUnits = []string{"cups-browsed.service", "cups.path", "cups.socket", "cups.service"}

const (
	queuePrefix     = "Schule-"
	printingDefault = "printing-default.json"
)

// queueOf is the name of a printer's queue: what CUPS takes of its name, and a few
// letters that tell it from others.
func queueOf(printer catalog.Settings) string {
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, printer.Text("name"))
	return queuePrefix + name + "-" + short(printer.Text("name"))[:4]
}

// setQueues makes the queues of ours those that are wanted. One that cannot be
// reached now keeps none of the others from being set.
func setQueues(ctx context.Context, d *Doors, s catalog.Settings) error {
	queues, err := readQueues(ctx, d)
	if err != nil {
		if len(s.Items("printers")) == 0 {
			return nil // CUPS does not run, and nothing is wanted of it
		}
		return err
	}
	wanted := map[string]bool{}
	for _, printer := range s.Items("printers") {
		queue := queueOf(printer)
		wanted[queue] = true
		if isQueue(d, queues, printer) {
			continue
		}
		// What fails is seen by looking.
		_, _ = d.Commands.Run(ctx, host.Command{Name: "lpadmin", Args: queueArgs(queue, printer)})
	}
	for _, queue := range sorted(queues) {
		if strings.HasPrefix(queue, queuePrefix) && !wanted[queue] {
			if _, err := d.Commands.Run(ctx, host.Command{Name: "lpadmin", Args: []string{"-x", queue}}); err != nil {
				return err
			}
		}
	}
	return setDefault(ctx, d, s, queues)
}

// isQueue reports whether the printer's queue is there and knows its printer. CUPS
// takes a queue for a printer that does not answer, and cannot print with it until
// it was asked once more.
func isQueue(d *Doors, queues map[string]string, printer catalog.Settings) bool {
	queue := queueOf(printer)
	return queues[queue] == printer.Text("address") && exists(d.Tree, "/etc/cups/ppd/"+queue+".ppd")
}

// queueArgs describe a queue. Printers that speak IPP say by themselves what they
// can do; of others it is known only that they take what most take.
func queueArgs(queue string, printer catalog.Settings) []string {
	model := "everywhere"
	if address := printer.Text("address"); !strings.HasPrefix(address, "ipp") {
		model = "drv:///sample.drv/generpcl.ppd"
	}
	args := []string{"-p", queue, "-E", "-v", printer.Text("address"), "-D", printer.Text("name"), "-m", model}
	if place := printer.Text("place"); place != "" {
		args = append(args, "-L", place)
	}
	return args
}

// setDefault offers one printer first, and gives the former one back when none of
// ours is.
func setDefault(ctx context.Context, d *Doors, s catalog.Settings, before map[string]string) error {
	now := defaultQueue(ctx, d)
	if first := s.Text("default"); first != "" {
		queue := queueOf(catalog.Settings{"name": first})
		if now == queue {
			return nil
		}
		if !strings.HasPrefix(now, queuePrefix) {
			data, err := json.Marshal(now)
			if err != nil {
				return fmt.Errorf("remembering the printer that was offered first: %w", err)
			}
			if err := d.Files.Write(printingDefault, data); err != nil {
				return err
			}
		}
		_, _ = d.Commands.Run(ctx, host.Command{Name: "lpadmin", Args: []string{"-d", queue}})
		return nil
	}
	data, err := d.Files.Read(printingDefault)
	if err != nil {
		return nil
	}
	var former string
	if json.Unmarshal(data, &former) == nil && slices.Contains(sorted(before), former) && (now == "" || strings.HasPrefix(now, queuePrefix)) {
		if _, err := d.Commands.Run(ctx, host.Command{Name: "lpadmin", Args: []string{"-d", former}}); err != nil {
			return err
		}
	}
	return d.Files.Remove(printingDefault)
}

// readQueues returns the address of every queue. It fails where CUPS does not
// answer.
func readQueues(ctx context.Context, d *Doors) (map[string]string, error) {
	if out, err := d.Commands.Run(ctx, host.Command{Name: "lpstat", Args: []string{"-r"}}); err != nil || strings.Contains(string(out), "not running") {
		return nil, fmt.Errorf("asking CUPS: %w", errNoCUPS)
	}
	queues := map[string]string{}
	// Without any queue lpstat complains; then there is none.
	out, _ := d.Commands.Run(ctx, host.Command{Name: "lpstat", Args: []string{"-v"}})
	for line := range strings.Lines(string(out)) {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(line), "device for "); ok {
			queue, address, _ := strings.Cut(rest, ": ")
			queues[queue] = address
		}
	}
	return queues, nil
}

func defaultQueue(ctx context.Context, d *Doors) string {
	out, _ := d.Commands.Run(ctx, host.Command{Name: "lpstat", Args: []string{"-d"}})
	_, queue, _ := strings.Cut(strings.TrimSpace(string(out)), "system default destination: ")
	return queue
}

var errNoCUPS = errors.New("it does not run")
