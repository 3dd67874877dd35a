package enroll

import (
	"context"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/ids"
	"schulwart.org/server/may"
)

// Bounds and defaults of tokens.
const (
	LongestToken  = 90 * 24 * time.Hour
	DefaultToken  = 24 * time.Hour
	MostUses      = 5000
	MostSerials   = 5000
	tokensPerPage = 50
)

// tokenType keeps an enrolment token from being taken for any other (RFC 8725,
// section 3.11).
const tokenType = "enrol+jwt"

// claims are what a token's text tells: school or group, how often, until when,
// and for how many serial numbers, but not which, or no camera could read the
// code. Whether it lets somebody in is decided by the row alone: texts that tell
// less, as older ones do, are as good.
type claims struct {
	jwt.RegisteredClaims
	School  org.ID `json:"school,omitempty"`
	Group   org.ID `json:"group,omitempty"` // in place of the school
	Uses    int    `json:"uses"`
	Serials int    `json:"serials,omitempty"` // how many; 0 for any machine
}

// Place is where devices go that come by a token.
type Place struct {
	Branch    org.Branch // with Group, if the token is for one
	School    string     // names, as people read them
	GroupName string
	Zone      string // of school time
}

// Token lets devices in. It is a signed text; the row says what it is good for.
type Token struct {
	ID      org.ID
	Place   Place
	Note    string
	MaxUses int
	Uses    int
	Expires time.Time
	Revoked time.Time // zero unless revoked
	Serials []string  // only these machines; empty for any
	By      string    // who made it
	Created time.Time
	Token   string // the signed text
	URL     string // the link with the authority's fingerprint
}

// Valid returns why a token lets nobody in at the instant: Denied with
// "token.revoked", "token.expired" or "token.used_up".
func (t Token) Valid(at time.Time) error {
	switch {
	case !t.Revoked.IsZero():
		return errs.E(errs.Denied, "token.revoked")
	case !at.Before(t.Expires):
		return errs.E(errs.Denied, "token.expired")
	case t.Uses >= t.MaxUses:
		return errs.E(errs.Denied, "token.used_up", "uses", t.MaxUses)
	}
	return nil
}

// Admits reports whether a machine of the serial number may come by the token.
func (t Token) Admits(serial string) bool {
	if len(t.Serials) == 0 {
		return true
	}
	for _, known := range t.Serials {
		if strings.EqualFold(known, serial) {
			return true
		}
	}
	return false
}

// Use is a device that came by a token.
type Use struct {
	Device org.ID // empty while it has only its certificate
	Name   string
	Serial string
	At     time.Time
}

// NewToken is what people choose: a school, or one of its groups.
type NewToken struct {
	School  org.ID
	Group   org.ID
	Uses    int           // 0 for 1
	For     time.Duration // 0 for a day
	Serials []string
	Note    string
}

// TokenFilter chooses tokens of a list.
type TokenFilter struct {
	School org.ID
	Group  org.ID
	After  org.ID // cursor: the last id of the page before
	Limit  int
}

// TokenList is a page of tokens; Next is the cursor of the following one, empty
// at the end.
type TokenList struct {
	Items []Token
	Next  org.ID
}

// CreateToken makes a token with its link. Faults: NotFound for a place that the
// actor cannot see, Denied, Invalid for a number out of bounds.
func (s *Service) CreateToken(ctx context.Context, actor may.Actor, wanted NewToken) (Token, error) {
	if wanted.School == "" && wanted.Group == "" {
		return Token{}, errs.E(errs.Invalid, "token.no_place").In("school")
	}
	place, err := s.store.EnrolPlace(ctx, wanted.School, wanted.Group)
	if err != nil {
		return Token{}, err
	}
	permit, err := may.Do(actor, may.TokenWrite, place.Branch)
	if err != nil {
		return Token{}, err
	}
	now := s.options.Now().UTC()
	token := Token{
		ID: ids.New(), Place: place, Note: strings.TrimSpace(wanted.Note), MaxUses: wanted.Uses, Serials: serials(wanted.Serials),
		Expires: now.Add(wanted.For).Truncate(time.Second), By: permit.Actor().Name, Created: now,
	}
	if wanted.Uses == 0 {
		token.MaxUses = 1
	}
	if wanted.For == 0 {
		token.Expires = now.Add(DefaultToken).Truncate(time.Second)
	}
	switch {
	case token.MaxUses < 1 || token.MaxUses > MostUses:
		return Token{}, errs.E(errs.Invalid, "token.uses", "max", MostUses).In("uses")
	case wanted.For < 0 || wanted.For > LongestToken:
		return Token{}, errs.E(errs.Invalid, "token.too_long", "days", int(LongestToken/(24*time.Hour))).In("expires_in")
	case len(token.Serials) > MostSerials:
		return Token{}, errs.E(errs.Invalid, "token.serials", "max", MostSerials).In("serials")
	case len([]rune(token.Note)) > 200:
		return Token{}, errs.E(errs.Invalid, "token.note").In("note")
	}
	if err := s.store.CreateEnrolToken(ctx, permit, token); err != nil {
		return Token{}, err
	}
	return s.signed(token)
}

// ListTokens lists the tokens that the actor may see, newest first.
func (s *Service) ListTokens(ctx context.Context, actor may.Actor, filter TokenFilter) (TokenList, error) {
	branches := may.Branches(actor, may.TokenRead)
	if len(branches) == 0 {
		return TokenList{}, errs.E(errs.Denied, "denied", "action", string(may.TokenRead))
	}
	if filter.Limit < 1 || filter.Limit > 200 {
		filter.Limit = tokensPerPage
	}
	limit := filter.Limit
	filter.Limit++
	tokens, err := s.store.EnrolTokens(ctx, branches, filter)
	if err != nil {
		return TokenList{}, err
	}
	var list TokenList
	if len(tokens) > limit {
		tokens = tokens[:limit]
		list.Next = tokens[limit-1].ID
	}
	for _, token := range tokens {
		token, err := s.signed(token)
		if err != nil {
			return TokenList{}, err
		}
		list.Items = append(list.Items, token)
	}
	return list, nil
}

// Token returns a token with the devices that came by it.
func (s *Service) Token(ctx context.Context, actor may.Actor, id org.ID) (Token, []Use, error) {
	token, err := s.store.EnrolToken(ctx, id)
	if err != nil {
		return Token{}, nil, err
	}
	if _, err := may.Do(actor, may.TokenRead, token.Place.Branch); err != nil {
		return Token{}, nil, err
	}
	uses, err := s.store.EnrolTokenUses(ctx, token)
	if err != nil {
		return Token{}, nil, err
	}
	token, err = s.signed(token)
	return token, uses, err
}

// Revoke makes a token good for nothing from now on. Devices that came by it
// stay. Revoking twice is harmless.
func (s *Service) Revoke(ctx context.Context, actor may.Actor, id org.ID) error {
	token, err := s.store.EnrolToken(ctx, id)
	if err != nil {
		return err
	}
	permit, err := may.Do(actor, may.TokenWrite, token.Place.Branch)
	if err != nil || !token.Revoked.IsZero() {
		return err
	}
	return s.store.RevokeEnrolToken(ctx, permit, token, s.options.Now())
}

// signed adds the text and the link. Both follow from the row, so a token can be
// shown again.
func (s *Service) signed(token Token) (Token, error) {
	told := claims{
		RegisteredClaims: jwt.RegisteredClaims{ID: token.ID.String(), ExpiresAt: jwt.NewNumericDate(token.Expires)},
		Group:            token.Place.Branch.Group, Uses: token.MaxUses, Serials: len(token.Serials),
	}
	if told.Group == "" {
		told.School = token.Place.Branch.School
	}
	signing := jwt.NewWithClaims(jwt.SigningMethodHS256, told)
	signing.Header["typ"] = tokenType
	text, err := signing.SignedString(s.secret)
	token.Token = text
	token.URL = s.options.DeviceURL + "/enroll/" + text + "#fp=" + s.Fingerprint()
	return token, err
}

// Open returns the token of a signed text, whether it still lets somebody in or
// not; see Valid. It is a NotFound fault if we did not sign it.
func (s *Service) Open(ctx context.Context, text string) (Token, error) {
	var told jwt.RegisteredClaims
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"HS256"}), jwt.WithoutClaimsValidation())
	parsed, err := parser.ParseWithClaims(text, &told, func(t *jwt.Token) (any, error) {
		if t.Header["typ"] != tokenType {
			return nil, jwt.ErrTokenUnverifiable
		}
		return s.secret, nil
	})
	if err != nil || !parsed.Valid {
		return Token{}, errs.E(errs.NotFound, "token.not_found").Because(err)
	}
	token, err := s.store.EnrolToken(ctx, org.ID(told.ID))
	if err != nil {
		return Token{}, err
	}
	return s.signed(token)
}

// serials tidies what people paste: one number per line or comma, each once.
func serials(pasted []string) []string {
	var tidy []string
	seen := map[string]bool{}
	for _, text := range pasted {
		for _, serial := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ';' || r == '\n' || r == '\r' || r == '\t' }) {
			serial = strings.TrimSpace(serial)
			if key := strings.ToUpper(serial); serial != "" && !seen[key] {
				seen[key] = true
				tidy = append(tidy, serial)
			}
		}
	}
	return tidy
}
