package api

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/server/audit"
	"schulwart.org/server/enroll"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
)

// EnrolmentToken lets devices in.
type EnrolmentToken struct {
	ID        org.ID    `json:"id"`
	Token     string    `json:"token"`
	URL       string    `json:"url" doc:"The link, with the fingerprint of the authority that devices will trust."`
	School    Named     `json:"school"`
	Group     *Named    `json:"group,omitempty"`
	Note      string    `json:"note,omitempty"`
	Uses      int       `json:"uses" doc:"How many devices may come by it."`
	Used      int       `json:"used"`
	ExpiresAt time.Time `json:"expires_at"`
	Revoked   bool      `json:"revoked"`
	By        string    `json:"by"`
	Serials   []string  `json:"serials,omitempty" doc:"Only machines with these serial numbers."`
}

// TokenUse is a device that came by a token.
type TokenUse struct {
	Device org.ID    `json:"device,omitempty" doc:"Empty while it has no more than its certificate."`
	Name   string    `json:"name,omitempty"`
	Serial string    `json:"serial,omitempty"`
	At     time.Time `json:"at"`
}

// TokenDetail is a token with what it was used for.
type TokenDetail struct {
	EnrolmentToken
	Devices []TokenUse `json:"devices" nullable:"false" doc:"Who came by it, in their order."`
}

type newTokenIn struct {
	Body struct {
		School    org.ID   `json:"school,omitempty" maxLength:"64"`
		Group     org.ID   `json:"group,omitempty" maxLength:"64"`
		Uses      *int     `json:"uses,omitempty" doc:"1 if it is left out."`
		ExpiresIn string   `json:"expires_in,omitempty" maxLength:"20" doc:"A day if it is left out." example:"24h"`
		Serials   []string `json:"serials,omitempty" maxItems:"5000" doc:"Only machines with these serial numbers."`
		Note      string   `json:"note,omitempty" maxLength:"400"`
	}
}

type tokensIn struct {
	Paging
	School org.ID `query:"school" maxLength:"64"`
	Group  org.ID `query:"group" maxLength:"64"`
}

func registerTokens(d *door) {
	handle(d, op{id: "create-enrolment-token", method: http.MethodPost, path: "/api/v1/enrolment-tokens", summary: "Make an enrolment token", needs: may.TokenWrite, status: http.StatusCreated}, d.createToken)
	handle(d, op{id: "list-enrolment-tokens", method: http.MethodGet, path: "/api/v1/enrolment-tokens", summary: "List enrolment tokens", needs: may.TokenRead}, d.listTokens)
	handle(d, op{id: "find-enrolment-token", method: http.MethodGet, path: "/api/v1/enrolment-tokens/{id}", summary: "Find an enrolment token with the devices that came by it", needs: may.TokenRead}, d.findToken)
	handle(d, op{id: "revoke-enrolment-token", method: http.MethodDelete, path: "/api/v1/enrolment-tokens/{id}", summary: "Revoke an enrolment token; devices stay", needs: may.TokenWrite, status: http.StatusNoContent}, d.revokeToken)
}

func tokenOut(t enroll.Token) EnrolmentToken {
	out := EnrolmentToken{
		ID: t.ID, Token: t.Token, URL: t.URL, School: Named{t.Place.Branch.School, t.Place.School}, Note: t.Note, Uses: t.MaxUses, Used: t.Uses,
		ExpiresAt: t.Expires.UTC(), Revoked: !t.Revoked.IsZero(), By: t.By, Serials: t.Serials,
	}
	if t.Place.Branch.Group != "" {
		out.Group = &Named{t.Place.Branch.Group, t.Place.GroupName}
	}
	return out
}

func (d *door) createToken(ctx context.Context, actor may.Actor, in *newTokenIn) (*body[EnrolmentToken], error) {
	b := in.Body
	uses := 1
	if b.Uses != nil {
		uses = *b.Uses
	}
	if uses < 1 {
		return nil, errs.E(errs.Invalid, "token.uses", "max", enroll.MostUses).In("uses")
	}
	life, err := readLife(b.ExpiresIn)
	if err != nil {
		return nil, err
	}
	token, err := d.Tokens.CreateToken(ctx, actor, enroll.NewToken{School: b.School, Group: b.Group, Uses: uses, For: life, Serials: b.Serials, Note: b.Note})
	if err != nil {
		return nil, err
	}
	return &body[EnrolmentToken]{tokenOut(token)}, nil
}

// readLife reads a length of time such as 90m, 24h or 7d; empty is the usual.
func readLife(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	if days, found := strings.CutSuffix(text, "d"); found {
		if n, err := strconv.Atoi(days); err == nil && n > 0 && n <= 366 {
			return time.Duration(n) * 24 * time.Hour, nil
		}
	}
	life, err := time.ParseDuration(text)
	if err != nil || life <= 0 {
		return 0, errs.E(errs.Invalid, "api.bad_duration", "value", text).In("expires_in")
	}
	return life, nil
}

func (d *door) listTokens(ctx context.Context, actor may.Actor, in *tokensIn) (*body[List[EnrolmentToken]], error) {
	list, err := d.Tokens.ListTokens(ctx, actor, enroll.TokenFilter{School: in.School, Group: in.Group, After: org.ID(in.Cursor), Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	return listOf(list.Items, list.Next.String(), tokenOut), nil
}

func (d *door) findToken(ctx context.Context, actor may.Actor, in *byID) (*body[TokenDetail], error) {
	token, uses, err := d.Tokens.Token(ctx, actor, in.ID)
	if err != nil {
		return nil, err
	}
	out := TokenDetail{EnrolmentToken: tokenOut(token), Devices: make([]TokenUse, len(uses))}
	for i, use := range uses {
		out.Devices[i] = TokenUse{use.Device, use.Name, use.Serial, use.At.UTC()}
	}
	return &body[TokenDetail]{out}, nil
}

func (d *door) revokeToken(ctx context.Context, actor may.Actor, in *byID) (*struct{}, error) {
	return nil, d.Tokens.Revoke(ctx, actor, in.ID)
}

// AuditEntry is one row of the log.
type AuditEntry struct {
	ID         string    `json:"id"`
	At         time.Time `json:"at"`
	By         string    `json:"by"`
	ByID       org.ID    `json:"by_id"`
	Via        string    `json:"via"`
	From       string    `json:"from,omitempty" doc:"Network address."`
	Action     string    `json:"action"`
	TargetKind string    `json:"target_kind,omitempty"`
	Target     org.ID    `json:"target,omitempty"`
	Before     string    `json:"before,omitempty" doc:"JSON, as text."`
	After      string    `json:"after,omitempty" doc:"JSON, as text."`
	Sealed     bool      `json:"sealed"`
}

type auditIn struct {
	Paging
	Action string    `query:"action" maxLength:"64"`
	By     org.ID    `query:"by" maxLength:"64"`
	Target org.ID    `query:"target" maxLength:"64"`
	School org.ID    `query:"school" maxLength:"64"`
	From   time.Time `query:"from"`
	Until  time.Time `query:"until"`
}

func registerAudit(d *door) {
	handle(d, op{id: "list-audit", method: http.MethodGet, path: "/api/v1/audit", summary: "Read the audit log, latest first", needs: may.AuditRead}, d.listAudit)
}

func (d *door) listAudit(ctx context.Context, actor may.Actor, in *auditIn) (*body[List[AuditEntry]], error) {
	entries, next, err := d.Audit.List(ctx, actor, audit.Filter{
		Actor: in.By, Action: in.Action, Target: in.Target, School: in.School, From: in.From, Until: in.Until, Cursor: in.Cursor, Limit: in.Limit,
	})
	if err != nil {
		return nil, err
	}
	return listOf(entries, next, func(e audit.Entry) AuditEntry {
		return AuditEntry{strconv.FormatInt(e.Seq, 10), e.At, e.ActorName, e.Actor, e.Via, e.From, e.Action, e.TargetKind, e.Target, e.Before, e.After, e.Sealed}
	}), nil
}
