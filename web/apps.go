package web

import (
	"strconv"
	"strings"
	"unicode"
)

// appSub says what kind of app a row is, and how large.
func (f Frame) appSub(row AppRow) string {
	parts := []string{f.T("app.kind." + row.Kind)}
	if row.Size > 0 {
		parts = append(parts, f.Bytes(row.Size))
	}
	return dotted(append(parts, row.Name)...)
}

func rolloutTone(state string) string {
	switch state {
	case "running", "waiting":
		return "info"
	case "halted":
		return "bad"
	case "done":
		return "ok"
	case "rolled_back":
		return "warn"
	}
	return ""
}

func ringTone(state string) string {
	switch state {
	case "passed":
		return "ok"
	case "halted":
		return "bad"
	case "open":
		return "info"
	}
	return ""
}

// ringName says whom a ring is.
func (f Frame) ringName(r RolloutRing) string {
	switch r.Kind {
	case "share":
		return f.T("rollout.ring.share", "percent", f.percent(r.Share))
	case "all":
		return f.T("rollout.ring.all")
	}
	if r.Place == "" {
		return f.T("rollout.ring.gone")
	}
	return r.Place
}

// percent writes a share as short as it is: 5, 0.5.
func (f Frame) percent(share float64) string {
	text := strconv.FormatFloat(share, 'f', -1, 64)
	if Language(f.Lang) == "de" {
		text = strings.ReplaceAll(text, ".", ",")
	}
	return text
}

// ringText counts what became of a ring's devices.
func (f Frame) ringText(r RolloutRing) string {
	if r.State == "ahead" {
		return f.T("rollout.ring.waits")
	}
	parts := []string{f.T("rollout.verified", "count", r.Verified), f.T("rollout.failed", "count", r.Failed)}
	if r.Unable > 0 {
		parts = append(parts, f.T("rollout.unable", "count", r.Unable))
	}
	if r.Waiting > 0 {
		parts = append(parts, f.T("rollout.unlicensed", "count", r.Waiting))
	}
	return strings.Join(parts, ", ")
}

// part is a share of a ring's bar, in hundredths of its length.
func (r RolloutRing) part(n int) string {
	if r.Devices == 0 {
		return "0"
	}
	return strconv.FormatFloat(float64(n)*100/float64(r.Devices), 'f', 2, 64)
}

// headline answers at the top how far a rollout is.
func (p RolloutPage) headline() string {
	switch p.Row.State {
	case "halted":
		if p.Row.Why == "paused" {
			return p.T("rollout.halted.paused")
		}
		return p.T("rollout.halted.itself", "at", p.When(p.Row.Changed))
	case "waiting":
		if p.Opens.IsZero() {
			return p.T("rollout.waiting.never")
		}
		return p.T("rollout.waiting.until", "at", p.When(p.Opens))
	}
	return p.T("rollout.now." + p.Row.State)
}

// detail says the rest of it.
func (p RolloutPage) detail() string {
	switch {
	case p.Row.State == "halted" && p.Row.Why == "failed" && p.Of > 0:
		return p.T("rollout.halted.failed", "ring", p.Where, "count", p.Count, "of", p.Of, "percent", p.Decimal(float64(p.Count)*100/float64(p.Of)), "allowed", p.percent(p.Allowed))
	case p.Row.State == "halted" && p.Row.Why == "ailing" && p.Of > 0:
		return p.T("rollout.halted.ailing", "ring", p.Where, "count", p.Count, "of", p.Of, "percent", p.Decimal(float64(p.Count)*100/float64(p.Of)), "allowed", p.percent(p.Allowed))
	case p.Row.State == "halted":
		return p.T("rollout.halted.text")
	case p.Row.State == "rolled_back" && p.Own:
		return p.T("rollout.back.own")
	case p.Row.State == "rolled_back" && p.Former != "":
		return p.T("rollout.back.to", "version", p.Former)
	}
	return p.T("rollout.text." + p.Row.State)
}

// sub counts devices, and says until when.
func (p RolloutPage) sub() string {
	total := 0
	for _, ring := range p.Rings {
		total += ring.Devices
	}
	parts := []string{p.Name + " " + p.Version, p.T("rollout.devices", "count", total)}
	if !p.Deadline.IsZero() {
		parts = append(parts, p.T("rollout.deadline", "at", p.When(p.Deadline)))
	}
	return dotted(append(parts, p.Row.By)...)
}

// reasonText is a device's reason in words, as the device named it where there are
// none.
func (f Frame) reasonText(r RolloutReason) string {
	key := "reason." + r.Code
	if !Knows(f.Lang, key) {
		return r.Code
	}
	var args []any
	for name, value := range r.Details {
		args = append(args, name, value)
	}
	return f.T(key, args...)
}

// rolloutDo is the address of a deed's page.
func rolloutDo(id, do string) string { return With(To(PathRolloutDo, id), "do", do) }

// devicesOf is the address of a ring's devices, of one outcome or all.
func devicesOf(id string, ring int, how string) string {
	url := To(PathRolloutDevices, id)
	if ring > 0 {
		url = With(url, "ring", itoa(ring))
	}
	if how != "" {
		url = With(url, "wie", how)
	}
	return url
}

// devicesFor is the way to the devices that failed for a reason.
func devicesFor(id, reason string) string { return With(To(PathRolloutDevices, id), "grund", reason) }

// outcomeTone is the colour of a device's outcome.
func outcomeTone(outcome string) string {
	return map[string]string{"verified": "ok", "failed": "bad", "unable": "warn", "unlicensed": "warn", "pending": "info"}[outcome]
}

// outcomeWord says what is known of a device.
func (f Frame) outcomeWord(d RolloutDevice) string {
	if d.Outcome == "" && !d.Offered {
		return f.T("rollout.outcome.ahead")
	}
	if d.Outcome == "" {
		return f.T("rollout.outcome.none")
	}
	return f.T("rollout.outcome." + d.Outcome)
}

// more is how many stay without a licence beyond those that are named.
func (s Shortage) more() int { return s.Without - len(s.Names) }

// lineText says what of a site's line the rollout may use.
func (p RolloutPage) lineText() string {
	text := p.T("rollout.line.free")
	if p.Rate > 0 {
		text = p.T("rollout.line.rate", "rate", p.Rate)
	}
	if p.Alone {
		return text + " " + p.T("rollout.line.alone")
	}
	return text + " " + p.T("rollout.line.together")
}

func (p RolloutPage) siteName(s RolloutSite) string {
	switch {
	case s.Single:
		return p.T("rollout.site.single", "school", s.Name)
	case s.Line > 0:
		return p.T("rollout.site.line", "school", s.Name, "line", s.Line)
	}
	return s.Name
}

// initial is the first letter of a title.
func initial(title string) string {
	for _, r := range title {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return string(unicode.ToUpper(r))
		}
	}
	return "·"
}

// firstHint says what the first ring is for.
func (p AppPage) firstHint() string {
	if p.Form.Room {
		return p.T("rollout.first.room")
	}
	return p.T("rollout.first.hint")
}

// stepText says what happened to a rollout.
func (f Frame) stepText(s RolloutStep) string {
	what := s.What
	if what == "halts" && s.Why == "ailing" {
		what = "halts_ailing"
	}
	return f.T("rollout.step."+what, "ring", s.Ring, "where", s.Where, "count", s.Count, "of", s.Of)
}

// stepTone is the colour of a step: what went wrong, what went well.
func stepTone(what string) string {
	switch what {
	case "halts", "rollback":
		return "bad"
	case "done":
		return "ok"
	case "pause":
		return "warn"
	}
	return "info"
}

// haltedBy is the filter of those devices that halted a rollout.
func haltedBy(why string) string {
	if why == "ailing" {
		return why
	}
	return "failed"
}

// share is how much is used, in hundredths.
func (r AppRoom) share() string {
	return strconv.FormatFloat(min(100, float64(r.Used)*100/float64(max(1, r.Most))), 'f', 1, 64)
}

// tone warns while a large file still fits.
func (r AppRoom) tone() string {
	switch {
	case r.Used*10 > r.Most*9:
		return "bad"
	case r.Used*4 > r.Most*3:
		return "warn"
	}
	return "ok"
}
