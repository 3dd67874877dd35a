package api

import (
	"context"
	"net/http"

	"schulwart.org/policies/org"
	"schulwart.org/server/may"
	"schulwart.org/server/standard"
)

// FourEyes says whether a second person is asked for.
type FourEyes struct {
	On    bool   `json:"on"`
	Asked *Named `json:"asked,omitempty" doc:"Who wants to do without; a second person has to agree."`
}

// EyesPlace is whose four eyes; exported as FamilyPath is.
type EyesPlace struct {
	Authority org.ID `query:"authority" maxLength:"64" doc:"The operator's own changes if it is left out."`
}

type setEyesIn struct {
	EyesPlace
	Body struct {
		On bool `json:"on" doc:"On holds at once. Off asks, and holds when a second person sends the same."`
	}
}

func registerEyes(d *door) {
	handle(d, op{id: "find-four-eyes", method: http.MethodGet, path: "/api/v1/four-eyes", summary: "Whether policies need a second person", needs: may.PolicyRead}, d.fourEyes)
	handle(d, op{id: "set-four-eyes", method: http.MethodPut, path: "/api/v1/four-eyes", summary: "Ask for a second person, or do without", needs: may.PolicyApprove}, d.setFourEyes)
}

func (d *door) fourEyes(ctx context.Context, actor may.Actor, in *EyesPlace) (*body[FourEyes], error) {
	eyes, err := d.Standard.FourEyes(ctx, actor, in.Authority)
	return eyesOut(eyes), err
}

func (d *door) setFourEyes(ctx context.Context, actor may.Actor, in *setEyesIn) (*body[FourEyes], error) {
	eyes, err := d.Standard.SetFourEyes(ctx, actor, in.Authority, in.Body.On)
	return eyesOut(eyes), err
}

func eyesOut(eyes standard.Eyes) *body[FourEyes] {
	out := FourEyes{On: eyes.On}
	if eyes.Asked.By != "" {
		out.Asked = &Named{eyes.Asked.By, eyes.Asked.ByName}
	}
	return &body[FourEyes]{out}
}
