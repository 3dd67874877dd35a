package web

// pickTone is the colour of how far a pick is.
func pickTone(state string) string {
	return map[string]string{"there": "ok", "failed": "bad", "unable": "warn", "unlicensed": "warn"}[state]
}

// pickStep is how far a pick is, in hundredths of its way.
func pickStep(state string) string {
	return map[string]string{"ordered": "10", "waiting": "30", "unlicensed": "10", "loading": "55", "installing": "80", "there": "100"}[state]
}

// moves reports whether the pick goes on by itself, so that the page looks again.
func moves(rows []PickRow) bool {
	for _, row := range rows {
		if row.Pick != nil && pickTone(row.Pick.State) == "" {
			return true
		}
	}
	return false
}

// who says for whom an app is.
func (f Frame) shelfWho(r ShelfRow) string {
	switch {
	case r.Teacher != "":
		return f.T("shelf.only", "who", r.Teacher)
	case r.Group != "":
		return dotted(f.T("shelf.for."+r.For), r.Group)
	}
	return f.T("shelf.for." + r.For)
}

// terms says what an app costs the school, and whether there is a licence left.
func (f Frame) terms(r PickRow) string {
	var parts []string
	if r.Licence != "" {
		parts = append(parts, f.T("shelf.licence", "licence", r.Licence))
	}
	if r.Currency != "" {
		parts = append(parts, f.T("shelf.cost", "cost", f.Money(r.Cents, r.Currency)))
	}
	if r.Counted {
		parts = append(parts, f.T("shelf.free", "count", r.Free))
	}
	return dotted(parts...)
}

// waiting counts the requests that nobody answered.
func (p ShelfPage) waiting() int {
	n := 0
	for _, r := range p.Requests {
		if r.Answer == "open" {
			n++
		}
	}
	return n
}

func (p ShelfPage) headline() string {
	if n := p.waiting(); n > 0 {
		return p.T("shelf.headline.waiting", "count", n)
	}
	return p.T("shelf.title")
}

func (p PupilAppsPage) say(key string) string {
	return pupilWords[PupilLanguage(p.Tongue, "de")]["apps."+key]
}

// terms is Frame.terms in the language of the page.
func (p PupilAppsPage) pupilTerms(r PickRow) string {
	var parts []string
	if r.Licence != "" {
		parts = append(parts, p.say("licence")+": "+r.Licence)
	}
	if r.Currency != "" {
		f := p.Frame
		f.Lang = Language(p.Tongue)
		parts = append(parts, p.say("cost")+": "+f.Money(r.Cents, r.Currency))
	}
	if r.Counted {
		parts = append(parts, p.say("free")+": "+itoa(r.Free))
	}
	return dotted(parts...)
}

func teacherApps(key string) string { return With(PathTeacherApps, "geraet", key) }
