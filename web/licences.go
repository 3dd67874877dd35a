package web

import "strconv"

// soon is how many days ahead the end of a validity is a thing to do.
const soon = 60

// Money writes an amount of hundredths.
func (f Frame) Money(cents int64, currency string) string {
	amount := f.Number(cents/100) + map[bool]string{true: ",", false: "."}[Language(f.Lang) == "de"] + strconv.FormatInt(100+cents%100, 10)[1:]
	if currency == "EUR" {
		currency = "€"
	}
	return amount + " " + currency
}

// share is a part of the pool's bar, in hundredths of its length.
func (r PoolRow) share(n int) string {
	whole := max(r.Total, r.Used)
	if whole == 0 {
		return "0"
	}
	return strconv.FormatFloat(float64(n)*100/float64(whole), 'f', 2, 64)
}

func (r PoolRow) free() int { return max(0, r.Total-r.Used) }

// tone is the colour of a pool: nobody waits, some do, or its end is near.
func (r PoolRow) tone() string {
	switch {
	case r.Over || r.Waiting > 0:
		return "bad"
	case r.full() || r.endsSoon():
		return "warn"
	}
	return "ok"
}

// full reports whether hardly one is left: one in ten.
func (r PoolRow) full() bool { return r.free()*10 <= r.Total }

func (r PoolRow) endsSoon() bool { return !r.Until.IsZero() && r.Ends <= soon }

// word says in a word how a pool stands.
func (f Frame) poolWord(r PoolRow) string {
	switch {
	case r.Over:
		return f.T("licences.word.over")
	case r.Waiting > 0:
		return f.T("licences.word.waiting", "count", r.Waiting)
	case r.endsSoon():
		return f.T("licences.word.ends")
	case r.full():
		return f.T("licences.word.full")
	}
	return f.T("licences.word.enough")
}

// used counts what is given and what is left.
func (f Frame) poolUsed(r PoolRow) string {
	return f.T("licences.used", "used", r.Used, "total", r.Total, "free", r.free())
}

// forecast says what comes: when they run out, and when their validity ends.
func (f Frame) forecast(r PoolRow) []string {
	var list []string
	switch {
	case r.Waiting > 0:
		list = append(list, f.T("licences.waiting", "count", r.Waiting))
	case !r.RunsOut.IsZero():
		list = append(list, f.T("licences.runs_out", "day", f.Day(r.RunsOut)))
	}
	switch {
	case r.Over:
		list = append(list, f.T("licences.over", "day", f.Day(r.Until)))
	case !r.Until.IsZero():
		list = append(list, f.T("licences.until", "day", f.Day(r.Until), "count", r.Ends))
	}
	return list
}

func (f Frame) poolCost(r PoolRow) string {
	if r.Currency == "" {
		return ""
	}
	return f.T("licences.cost.each", "each", f.Money(r.Cents, r.Currency), "all", f.Money(r.Cents*int64(r.Total), r.Currency))
}

// headline answers whether the licences suffice.
func (p LicencesPage) headline() string {
	waiting, near := 0, 0
	for _, row := range p.Rows {
		if row.Waiting > 0 {
			waiting++
		} else if row.tone() != "ok" {
			near++
		}
	}
	switch {
	case waiting > 0:
		return p.T("licences.headline.waiting", "count", waiting)
	case near > 0:
		return p.T("licences.headline.near", "count", near)
	}
	return p.T("licences.headline.enough")
}

func (c LicenceChange) more() int { return c.Lose - len(c.LoseWho) }
