package web

func (p EyesPage) eyesHeadline() string {
	if p.On {
		return p.T("eyes.headline.on")
	}
	return p.T("eyes.headline.off")
}
