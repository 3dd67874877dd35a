package ddm_test

import (
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"

	"schulwart.org/policies/ddm"
)

func anyLog(t *rapid.T) []ddm.Sealed {
	deeds := []ddm.Deed{ddm.DeedArmed, ddm.DeedStarted, ddm.DeedRepaired, ddm.DeedEnded}
	var log []ddm.Sealed
	former := ddm.Sealed{}
	at := time.Date(2026, 3, 16, 9, 0, 0, 0, time.FixedZone("CET", 3600))
	for range rapid.IntRange(1, 8).Draw(t, "lines") {
		at = at.Add(time.Duration(rapid.Int64Range(0, 1e12).Draw(t, "later")))
		line := ddm.Sealed{Lease: "a", At: at, Boot: "b", Elapsed: rapid.Int64Range(0, 1e9).Draw(t, "elapsed"), What: rapid.SampledFrom(deeds).Draw(t, "what")}
		if rapid.Bool().Draw(t, "with args") {
			line.Args = map[string]string{"part": rapid.String().Draw(t, "part"), "reason": "x"}
		}
		former = line.After(former)
		log = append(log, former)
	}
	return log
}

// A log is whole after it was sent, and is not once a single line of it is
// changed, left out, doubled or swapped.
func TestSealedLogTellsEveryChange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		log := anyLog(t)
		data, err := json.Marshal(log)
		if err != nil {
			t.Fatal(err)
		}
		var sent []ddm.Sealed
		if err := json.Unmarshal(data, &sent); err != nil {
			t.Fatal(err)
		}
		if !ddm.Unbroken(ddm.Sealed{}, sent) {
			t.Fatalf("broken by sending: %s", data)
		}
		for cut := range sent {
			former := ddm.Sealed{}
			if cut > 0 {
				former = sent[cut-1]
			}
			if !ddm.Unbroken(former, sent[cut:]) {
				t.Fatalf("broken where it was cut into two reports, at %d", cut)
			}
		}
		i := rapid.IntRange(0, len(sent)-1).Draw(t, "line")
		changes := []string{"time", "what", "args", "doubled", "lease"}
		if i < len(sent)-1 { // what a device has not told yet is no break
			changes = append(changes, "left out")
		}
		switch rapid.SampledFrom(changes).Draw(t, "change") {
		case "time":
			sent[i].At = sent[i].At.Add(time.Second)
		case "what":
			sent[i].What = ddm.DeedOnline
		case "args":
			sent[i].Args = map[string]string{"part": "another", "reason": "y"}
		case "lease":
			sent[i].Lease = "b"
		case "doubled":
			sent = append(sent[:i+1], sent[i:]...)
		case "left out":
			sent = append(sent[:i:i], sent[i+1:]...)
		}
		if ddm.Unbroken(ddm.Sealed{}, sent) {
			t.Fatal("the change was not noticed")
		}
	})
}

func TestSealOfALineIsWhatItWas(t *testing.T) {
	line := ddm.Sealed{Lease: "a", At: time.UnixMilli(1773651600123), Boot: "b", Elapsed: 5000, What: ddm.DeedStarted}.After(ddm.Sealed{})
	const want = "7f96f067b309fc07e4009ac8d067ecdee57e8bbcb4f45c24b839fda2f42308ec"
	if line.Seal != want {
		t.Errorf("the seal is %s; devices and servers of different age would not agree", line.Seal)
	}
}
