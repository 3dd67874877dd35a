package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/ids"
	"schulwart.org/server/may"
	"schulwart.org/server/staff"
)

// body wraps what is answered.
type body[T any] struct{ Body T }

// List is a page of a list. Next is the cursor of the following page, empty at
// the end.
type List[T any] struct {
	Items []T    `json:"items" nullable:"false"`
	Next  string `json:"next" doc:"Cursor of the following page; empty at the end."`
}

func listOf[A, B any](items []A, next string, turn func(A) B) *body[List[B]] {
	page := &body[List[B]]{List[B]{Items: make([]B, len(items)), Next: next}}
	for i, item := range items {
		page.Body.Items[i] = turn(item)
	}
	return page
}

// Paging is what every list can be asked.
type Paging struct {
	Cursor string `query:"cursor" maxLength:"1000" doc:"The next of the page before."`
	Limit  int    `query:"limit" minimum:"0" maximum:"200" doc:"Rows of a page; 0 for the usual number."`
}

// Resolve refuses a cursor that no page gave, so that nobody takes the first page
// for the next.
func (p *Paging) Resolve(huma.Context) []error {
	if p.Cursor == "" || ids.IsCursor(p.Cursor) {
		return nil
	}
	return []error{&huma.ErrorDetail{Location: "query.cursor", Message: "not the next of a page", Value: p.Cursor}}
}

// Grant is a role and where it holds.
type Grant struct {
	Role      may.Role `json:"role"`
	Authority org.ID   `json:"authority,omitempty" doc:"Empty for the whole installation."`
	School    org.ID   `json:"school,omitempty" doc:"Empty for the whole authority."`
}

// Me is who the token speaks for.
type Me struct {
	ID    org.ID  `json:"id"`
	Name  string  `json:"name" doc:"As pupils and colleagues read it." example:"Frau Oert"`
	Email string  `json:"email"`
	Roles []Grant `json:"roles" nullable:"false"`
}

type loginIn struct {
	Body struct {
		Email    string `json:"email" maxLength:"254" example:"oert@schule.example"`
		Password string `json:"password" maxLength:"256"`
		Code     string `json:"code,omitempty" maxLength:"12" doc:"Six digits of the second factor, where one is in use."`
	}
}

// Login is a token with its end.
type Login struct {
	Token     string    `json:"token" doc:"Send it as Authorization: Bearer …"`
	ExpiresAt time.Time `json:"expires_at"`
}

func registerAccount(d *door) {
	handle(d, op{id: "login", method: http.MethodPost, path: "/api/v1/login", summary: "Get a token for some hours", public: true}, d.login)
	handle(d, op{id: "me", method: http.MethodGet, path: "/api/v1/me", summary: "Who the token speaks for", needs: may.AccountOwn}, d.me)
}

func (d *door) login(ctx context.Context, actor may.Actor, in *loginIn) (*body[Login], error) {
	attempt := staff.Attempt{Login: in.Body.Email, Password: in.Body.Password, From: actor.From}
	token, until, _, err := d.Staff.Login(ctx, attempt, in.Body.Code)
	if errs.Is(err, errs.Denied) {
		return nil, unauthorized{err}
	}
	if err != nil {
		return nil, err
	}
	return &body[Login]{Login{token, until}}, nil
}

func (d *door) me(_ context.Context, actor may.Actor, _ *struct{}) (*body[Me], error) {
	me := Me{ID: actor.ID, Name: actor.Name, Email: actor.Login, Roles: make([]Grant, len(actor.Grants))}
	for i, grant := range actor.Grants {
		me.Roles[i] = Grant{grant.Role, grant.Branch.Authority, grant.Branch.School}
	}
	return &body[Me]{me}, nil
}
