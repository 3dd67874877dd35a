package web

// address says a sentence to a pupil: du, or Sie where the school wants it.
func (p PupilNowPage) address(key string) string {
	if p.Formal && Knows(p.Lang, key+".formal") {
		return p.T(key + ".formal")
	}
	return p.T(key)
}

func (p PupilNowPage) modeUntil(m PupilMode) string {
	return p.T("mode."+string(m.Kind)+".until", "until", m.Ends)
}
