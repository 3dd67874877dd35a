package web

import "github.com/a-h/templ"

// inStage makes a button of the tour change the stage in place.
func inStage() templ.Attributes {
	return templ.Attributes{"hx-post": PathDemoAction, "hx-target": "#stage", "hx-select": "#stage", "hx-swap": "outerHTML"}
}

// demoWord is the key of a switch's word: what pressing it does.
func demoWord(action string, on bool) string {
	if on {
		return "demo.do." + action + ".back"
	}
	return "demo.do." + action
}
