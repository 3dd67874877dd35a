package api

import (
	"context"
	"net/http"
	"time"

	"schulwart.org/policies/desired"
	"schulwart.org/policies/org"
	"schulwart.org/server/may"
	"schulwart.org/server/standard"
)

// Place is where something is said.
type Place struct {
	Level org.Level `json:"level" enum:"operator,authority,school,group,device"`
	ID    org.ID    `json:"id,omitempty" maxLength:"64" doc:"Empty for the operator."`
	Name  string    `json:"name,omitempty" readOnly:"true"`
}

func (p Place) of() desired.Place { return desired.Place{Level: p.Level, ID: p.ID} }

func placeOut(p standard.Place) Place { return Place{p.Level, p.ID, p.Name} }

// Said is what a place says about a family.
type Said struct {
	Settings map[string]any          `json:"settings" doc:"Values by field, as the catalogue describes them. Secrets that are set read ••••••••, and stay when they are sent back so."`
	Holds    map[string]desired.Hold `json:"holds,omitempty" doc:"How firmly fields are meant: locked or free; a missing field is the standard."`
}

func saidOut(says map[string]standard.Say) map[string]Said {
	out := make(map[string]Said, len(says))
	for family, say := range says {
		settings := map[string]any{}
		for field, value := range say.Settings {
			settings[field] = value
		}
		out[family] = Said{settings, say.Holds}
	}
	return out
}

// PolicyField is one field of a place.
type PolicyField struct {
	Family  string          `json:"family"`
	Field   string          `json:"field"`
	Own     any             `json:"own,omitempty" doc:"What the place itself says."`
	OwnHold desired.Hold    `json:"own_hold,omitempty"`
	Effect  desired.Effect  `json:"effect,omitempty" doc:"What becomes of it."`
	Above   any             `json:"above,omitempty" doc:"What holds without the place's own word."`
	Value   any             `json:"value,omitempty" doc:"What holds."`
	Origin  *Place          `json:"origin,omitempty" doc:"Who decides above."`
	Leeway  standard.Leeway `json:"leeway" enum:"free,more,stricter,none,locked" doc:"How far the place may go without an exception."`
}

// Policies is what a place says and hears.
type Policies struct {
	Place    Place         `json:"place"`
	Devices  int           `json:"devices"`
	FourEyes bool          `json:"four_eyes" doc:"Whether a second person has to approve."`
	Fields   []PolicyField `json:"fields" nullable:"false" doc:"Fields about which somebody says something."`
}

// Effective is one field that holds on a device.
type Effective struct {
	Family  string            `json:"family"`
	Field   string            `json:"field"`
	Value   any               `json:"value"`
	Origin  Place             `json:"origin"`
	Locked  bool              `json:"locked"`
	Until   *time.Time        `json:"until,omitempty" doc:"When an exception that decides here ends."`
	Ability string            `json:"ability" enum:"enforced,reported,not-possible,unverified" doc:"What the device does with it."`
	Missing string            `json:"missing,omitempty" doc:"What the device lacks for it."`
	State   string            `json:"state" enum:"active,waiting,deviating,absent" doc:"What the device last said of the family."`
	Reasons []standard.Reason `json:"reasons,omitempty"`
	From    []desired.Source  `json:"from" nullable:"false" doc:"Everybody who says something, from the top to the device, with what became of it."`
}

// EffectiveList is what holds on a device.
type EffectiveList struct {
	Items    []Effective `json:"items" nullable:"false"`
	Reported *time.Time  `json:"reported,omitempty" doc:"When the device last said what it has."`
}

// Draft is a change that somebody prepares.
type Draft struct {
	ID          org.ID                `json:"id"`
	Place       Place                 `json:"place"`
	Title       string                `json:"title"`
	Reason      string                `json:"reason,omitempty"`
	State       standard.State        `json:"state" enum:"draft,proposed,pilot,published,discarded"`
	Changes     map[string]Said       `json:"changes" doc:"Families as they shall be."`
	Differences []standard.Difference `json:"differences" nullable:"false"`
	Pilot       org.ID                `json:"pilot,omitempty" doc:"Group that tries it first."`
	Author      Named                 `json:"author"`
	Approver    *Named                `json:"approver,omitempty"`
	Created     time.Time             `json:"created"`
	Changed     time.Time             `json:"changed"`
	Published   *time.Time            `json:"published,omitempty"`
}

func draftOut(d standard.Draft) Draft {
	out := Draft{
		ID: d.ID, Place: placeOut(d.Place), Title: d.Title, Reason: d.Reason, State: d.State, Changes: saidOut(d.Changes), Differences: d.Differences(),
		Pilot: d.Pilot, Author: Named{d.Author, d.AuthorName}, Created: d.Created, Changed: d.Changed, Published: at(d.Published),
	}
	if out.Differences == nil {
		out.Differences = []standard.Difference{}
	}
	if d.Approver != "" {
		out.Approver = &Named{d.Approver, d.ApproverName}
	}
	return out
}

// PolicyVersion is something that was published.
type PolicyVersion struct {
	ID          org.ID                `json:"id"`
	Place       Place                 `json:"place"`
	Draft       org.ID                `json:"draft,omitempty"`
	Title       string                `json:"title"`
	Reason      string                `json:"reason,omitempty"`
	Differences []standard.Difference `json:"differences" nullable:"false"`
	Undoes      org.ID                `json:"undoes,omitempty" doc:"The version that this one took back."`
	Undone      org.ID                `json:"undone,omitempty" doc:"The version that took this one back."`
	By          Named                 `json:"by"`
	Approver    *Named                `json:"approver,omitempty"`
	At          time.Time             `json:"at"`
}

func versionOut(v standard.Version) PolicyVersion {
	out := PolicyVersion{
		ID: v.ID, Place: placeOut(v.Place), Draft: v.Draft, Title: v.Title, Reason: v.Reason, Differences: v.Differences(), Undoes: v.Undoes, Undone: v.Undone,
		By: Named{v.By, v.ByName}, At: v.At,
	}
	if out.Differences == nil {
		out.Differences = []standard.Difference{}
	}
	if v.Approver != "" {
		out.Approver = &Named{v.Approver, v.ApproverName}
	}
	return out
}

// Impact is what a draft would change on devices as they are now.
type Impact struct {
	Devices int             `json:"devices" doc:"In reach."`
	Changed int             `json:"changed" doc:"Enrolled ones that would have another answer and can take a part of it."`
	Unable  int             `json:"unable" doc:"Devices that are meant and can take nothing of it, or not yet."`
	Schools []ImpactSchool  `json:"schools" nullable:"false"`
	Cannot  []ImpactCannot  `json:"cannot" nullable:"false"`
	Fields  []ImpactField   `json:"fields" nullable:"false"`
	More    int             `json:"more" doc:"Differences that were left out."`
	Lower   []ImpactUnheard `json:"lower" nullable:"false" doc:"Words of places below that are heard no longer."`
	Heard   []ImpactUnheard `json:"heard" nullable:"false" doc:"Words that are heard again."`
	Strands []ImpactStrand  `json:"strands" nullable:"false" doc:"Combinations that would strand devices; such a draft cannot be published."`
	At      time.Time       `json:"at"`
}

// ImpactSchool is the impact on one school.
type ImpactSchool struct {
	School  Named `json:"school"`
	Devices int   `json:"devices"`
	Changed int   `json:"changed"`
	Cannot  int   `json:"cannot"`
}

// ImpactCannot is why devices do not take a field.
type ImpactCannot struct {
	Why      string       `json:"why" enum:"not-possible,supervision,unverified,agent-too-old,not-enrolled"`
	Family   string       `json:"family,omitempty"`
	Field    string       `json:"field,omitempty"`
	Platform org.Platform `json:"platform"`
	Devices  int          `json:"devices"`
}

// ImpactField is one difference with the number of devices.
type ImpactField struct {
	Family  string `json:"family"`
	Field   string `json:"field"`
	Old     any    `json:"old"`
	New     any    `json:"new"`
	From    Place  `json:"from" doc:"Who decides then."`
	Devices int    `json:"devices"`
}

// ImpactUnheard is the word of a place below.
type ImpactUnheard struct {
	Place   Place          `json:"place"`
	Family  string         `json:"family"`
	Field   string         `json:"field"`
	Value   any            `json:"value"`
	Effect  desired.Effect `json:"effect"`
	Devices int            `json:"devices"`
}

// ImpactStrand is a combination that would strand devices.
type ImpactStrand struct {
	Key     string            `json:"key"`
	Family  string            `json:"family"`
	Field   string            `json:"field"`
	Args    map[string]string `json:"args,omitempty"`
	School  Named             `json:"school"`
	Devices int               `json:"devices"`
}

// Exception is a deviation with owner, reason and end.
type Exception struct {
	ID       org.ID     `json:"id"`
	Place    Place      `json:"place"`
	Family   string     `json:"family"`
	Field    string     `json:"field"`
	Value    any        `json:"value" doc:"Of a list that adds up: the items that do not hold here."`
	Owner    Named      `json:"owner"`
	Reason   string     `json:"reason"`
	StartsAt time.Time  `json:"starts_at"`
	EndsAt   time.Time  `json:"ends_at"`
	EndedAt  *time.Time `json:"ended_at,omitempty" doc:"Before its time."`
	Devices  int        `json:"devices" doc:"In its place."`
	Then     any        `json:"then,omitempty" doc:"What holds when it ends."`
	Needless bool       `json:"needless,omitempty" doc:"Ending it changes nothing."`
}

func exceptionOut(e standard.Entry) Exception {
	out := Exception{
		ID: e.ID, Place: placeOut(e.Place), Family: e.Family, Field: e.Field, Value: e.Value, Owner: Named{e.Owner, e.OwnerName}, Reason: e.Reason,
		StartsAt: e.Starts, EndsAt: e.Until, EndedAt: at(e.Ended), Devices: e.Devices, Needless: e.Needless,
	}
	if e.Then != nil {
		out.Then = e.Then.Value
	}
	return out
}

type placeIn struct {
	Level org.Level `query:"level" required:"true" enum:"operator,authority,school,group,device"`
	Place org.ID    `query:"place" maxLength:"64" doc:"Its id; empty for the operator."`
}

type effectiveIn struct {
	Device org.ID `query:"device" required:"true" minLength:"1" maxLength:"64"`
}

type newDraftIn struct {
	Body struct {
		Place  Place           `json:"place"`
		Title  string          `json:"title" maxLength:"200"`
		Reason string          `json:"reason,omitempty" maxLength:"4000"`
		Pilot  org.ID          `json:"pilot,omitempty" maxLength:"64"`
		Says   map[string]Said `json:"says" doc:"By family. One without settings takes the family away."`
	}
}

type publishIn struct {
	ID   org.ID `path:"id" maxLength:"64"`
	Body struct {
		Pilot org.ID    `json:"pilot,omitempty" maxLength:"64" doc:"Publish for this group only, first."`
		Seen  time.Time `json:"seen,omitempty" doc:"When the draft had changed last as you saw it."`
	} `required:"false"`
}

type versionsIn struct {
	Paging
	Level     org.Level `query:"level" enum:"operator,authority,school,group,device"`
	Place     org.ID    `query:"place" maxLength:"64"`
	Authority org.ID    `query:"authority" maxLength:"64"`
	School    org.ID    `query:"school" maxLength:"64"`
}

type exceptionsIn struct {
	Paging
	Authority org.ID `query:"authority" maxLength:"64"`
	School    org.ID `query:"school" maxLength:"64"`
	Over      bool   `query:"over" doc:"Those that are over, instead of the others."`
	Within    int    `query:"within" minimum:"0" maximum:"400" doc:"Only those that end within so many days."`
}

type newExceptionIn struct {
	Body struct {
		Place  Place     `json:"place"`
		Family string    `json:"family" maxLength:"64"`
		Field  string    `json:"field" maxLength:"64"`
		Value  any       `json:"value"`
		Owner  org.ID    `json:"owner,omitempty" maxLength:"64" doc:"Who answers for it; yourself if it is left out."`
		Reason string    `json:"reason" maxLength:"4000"`
		From   time.Time `json:"from,omitempty" doc:"Now if it is left out."`
		Until  time.Time `json:"until" doc:"At most a year ahead."`
	}
}

func registerPolicies(d *door) {
	handle(d, op{id: "list-policies", method: http.MethodGet, path: "/api/v1/policies", summary: "What a place says and hears", needs: may.PolicyRead}, d.policies)
	handle(d, op{id: "effective-policies", method: http.MethodGet, path: "/api/v1/policies/effective", summary: "What holds on a device, and why", needs: may.PolicyRead}, d.effective)
	handle(d, op{id: "create-policy-draft", method: http.MethodPost, path: "/api/v1/policy-drafts", summary: "Prepare a change", needs: may.PolicyPropose, status: http.StatusCreated}, d.createDraft)
	handle(d, op{id: "find-policy-draft", method: http.MethodGet, path: "/api/v1/policy-drafts/{id}", summary: "Find a draft", needs: may.PolicyRead}, d.findDraft)
	handle(d, op{id: "draft-impact", method: http.MethodGet, path: "/api/v1/policy-drafts/{id}/impact", summary: "What a draft would change, on devices as they are now", needs: may.PolicyRead}, d.impact)
	handle(d, op{id: "propose-draft", method: http.MethodPost, path: "/api/v1/policy-drafts/{id}/propose", summary: "Ask a second person", needs: may.PolicyPropose}, d.proposeDraft)
	handle(d, op{id: "publish-draft", method: http.MethodPost, path: "/api/v1/policy-drafts/{id}/publish", summary: "Publish a draft, for all or for a pilot group", needs: may.PolicyWrite}, d.publishDraft)
	handle(d, op{id: "approve-draft", method: http.MethodPost, path: "/api/v1/policy-drafts/{id}/approve", summary: "Publish what somebody else proposed", needs: may.PolicyApprove}, d.approveDraft)
	handle(d, op{id: "discard-draft", method: http.MethodPost, path: "/api/v1/policy-drafts/{id}/discard", summary: "Give a draft up; a running pilot is taken back", needs: may.PolicyPropose}, d.discardDraft)
	handle(d, op{id: "list-policy-versions", method: http.MethodGet, path: "/api/v1/policy-versions", summary: "What was published, the latest first", needs: may.PolicyRead}, d.versions)
	handle(d, op{id: "undo-policy-version", method: http.MethodPost, path: "/api/v1/policy-versions/{id}/undo", summary: "Take a version back", needs: may.PolicyWrite}, d.undoVersion)
	handle(d, op{id: "list-exceptions", method: http.MethodGet, path: "/api/v1/exceptions", summary: "List exceptions, the next end first", needs: may.PolicyRead}, d.exceptions)
	handle(d, op{id: "create-exception", method: http.MethodPost, path: "/api/v1/exceptions", summary: "File an exception", needs: may.PolicyWrite, status: http.StatusCreated}, d.createException)
	handle(d, op{id: "end-exception", method: http.MethodDelete, path: "/api/v1/exceptions/{id}", summary: "End an exception now; it stays in the register", needs: may.PolicyWrite, status: http.StatusNoContent}, d.endException)
}

func (d *door) policies(ctx context.Context, actor may.Actor, in *placeIn) (*body[Policies], error) {
	sheet, err := d.Standard.At(ctx, actor, desired.Place{Level: in.Level, ID: in.Place})
	if err != nil {
		return nil, err
	}
	out := Policies{Place: placeOut(sheet.Place), Devices: sheet.Devices, FourEyes: sheet.FourEyes, Fields: []PolicyField{}}
	for _, f := range sheet.Fields {
		if f.Here == nil && f.Own == nil {
			continue
		}
		one := PolicyField{Family: f.Family, Field: f.Field, Own: f.Own, OwnHold: f.OwnHold, Effect: f.Effect, Leeway: f.Leeway}
		if f.Above != nil {
			one.Above = f.Above.Value
		}
		if f.Upper != nil {
			upper := placeOut(*f.Upper)
			one.Origin = &upper
		}
		if f.Here != nil {
			one.Value = f.Here.Value
		}
		out.Fields = append(out.Fields, one)
	}
	return &body[Policies]{out}, nil
}

func (d *door) effective(ctx context.Context, actor may.Actor, in *effectiveIn) (*body[EffectiveList], error) {
	holding, err := d.Standard.OnDevice(ctx, actor, in.Device)
	if err != nil {
		return nil, err
	}
	out := EffectiveList{Items: []Effective{}, Reported: at(holding.Reported)}
	for _, held := range holding.Items {
		out.Items = append(out.Items, Effective{
			Family: held.Family, Field: held.Field, Value: held.Value, Origin: placeOut(held.Origin), Locked: held.Hold == desired.Locked, Until: at(held.Until),
			Ability: string(held.Ability), Missing: held.Missing, State: held.State, Reasons: held.Reasons, From: held.From,
		})
	}
	return &body[EffectiveList]{out}, nil
}

func (d *door) createDraft(ctx context.Context, actor may.Actor, in *newDraftIn) (*body[Draft], error) {
	wishes := map[string]standard.Wish{}
	for family, said := range in.Body.Says {
		wishes[family] = standard.Wish{Settings: said.Settings, Holds: said.Holds}
	}
	draft, err := d.Standard.Begin(ctx, actor, in.Body.Place.of(), standard.NewDraft{Title: in.Body.Title, Reason: in.Body.Reason, Pilot: in.Body.Pilot, Families: wishes})
	if err != nil {
		return nil, err
	}
	return &body[Draft]{draftOut(draft)}, nil
}

func (d *door) findDraft(ctx context.Context, actor may.Actor, in *byID) (*body[Draft], error) {
	draft, err := d.Standard.Draft(ctx, actor, in.ID)
	if err != nil {
		return nil, err
	}
	return &body[Draft]{draftOut(draft)}, nil
}

func (d *door) impact(ctx context.Context, actor may.Actor, in *byID) (*body[Impact], error) {
	found, err := d.Standard.Impact(ctx, actor, in.ID)
	if err != nil {
		return nil, err
	}
	return &body[Impact]{impactOut(found)}, nil
}

func impactOut(found standard.Impact) Impact {
	out := Impact{
		Devices: found.Devices, Changed: found.Changed, Unable: found.Unable, More: found.More, At: found.At,
		Schools: []ImpactSchool{}, Cannot: []ImpactCannot{}, Fields: []ImpactField{}, Strands: []ImpactStrand{},
	}
	for _, s := range found.Schools {
		out.Schools = append(out.Schools, ImpactSchool{Named{s.School.School, s.Name}, s.Devices, s.Changed, s.Cannot})
	}
	for _, c := range found.Cannot {
		out.Cannot = append(out.Cannot, ImpactCannot(c))
	}
	for _, f := range found.Fields {
		out.Fields = append(out.Fields, ImpactField{f.Family, f.Field, f.Old, f.New, placeOut(found.Names[f.From]), f.Devices})
	}
	for _, s := range found.Strands {
		out.Strands = append(out.Strands, ImpactStrand{s.Key, s.Family, s.Field, s.Args, Named{s.School.School, s.Name}, s.Devices})
	}
	out.Lower, out.Heard = unheardOut(found.Lower, found.Names), unheardOut(found.Heard, found.Names)
	return out
}

func unheardOut(words []standard.Unheard, names map[desired.Place]standard.Place) []ImpactUnheard {
	out := make([]ImpactUnheard, len(words))
	for i, w := range words {
		out[i] = ImpactUnheard{placeOut(names[w.Place]), w.Family, w.Field, w.Value, w.Effect, w.Devices}
	}
	return out
}

func (d *door) proposeDraft(ctx context.Context, actor may.Actor, in *byID) (*body[Draft], error) {
	draft, err := d.Standard.Propose(ctx, actor, in.ID)
	if err != nil {
		return nil, err
	}
	return &body[Draft]{draftOut(draft)}, nil
}

func (d *door) publishDraft(ctx context.Context, actor may.Actor, in *publishIn) (*body[Draft], error) {
	draft, _, err := d.Standard.Publish(ctx, actor, in.ID, standard.Release{Pilot: in.Body.Pilot, Seen: in.Body.Seen})
	if err != nil {
		return nil, err
	}
	return &body[Draft]{draftOut(draft)}, nil
}

func (d *door) approveDraft(ctx context.Context, actor may.Actor, in *publishIn) (*body[Draft], error) {
	draft, _, err := d.Standard.Approve(ctx, actor, in.ID, standard.Release{Pilot: in.Body.Pilot, Seen: in.Body.Seen})
	if err != nil {
		return nil, err
	}
	return &body[Draft]{draftOut(draft)}, nil
}

func (d *door) discardDraft(ctx context.Context, actor may.Actor, in *byID) (*body[Draft], error) {
	draft, err := d.Standard.Discard(ctx, actor, in.ID)
	if err != nil {
		return nil, err
	}
	return &body[Draft]{draftOut(draft)}, nil
}

func (d *door) versions(ctx context.Context, actor may.Actor, in *versionsIn) (*body[List[PolicyVersion]], error) {
	filter := standard.VersionFilter{Authority: in.Authority, School: in.School, Cursor: in.Cursor, Limit: in.Limit}
	if in.Level != "" {
		filter.Place = &desired.Place{Level: in.Level, ID: in.Place}
	}
	versions, next, err := d.Standard.Versions(ctx, actor, filter)
	if err != nil {
		return nil, err
	}
	return listOf(versions, next, versionOut), nil
}

func (d *door) undoVersion(ctx context.Context, actor may.Actor, in *byID) (*body[PolicyVersion], error) {
	version, err := d.Standard.Undo(ctx, actor, in.ID)
	if err != nil {
		return nil, err
	}
	return &body[PolicyVersion]{versionOut(version)}, nil
}

func (d *door) exceptions(ctx context.Context, actor may.Actor, in *exceptionsIn) (*body[List[Exception]], error) {
	entries, next, err := d.Standard.Register(ctx, actor, standard.ExceptionFilter{
		Authority: in.Authority, School: in.School, Over: in.Over, Within: time.Duration(in.Within) * 24 * time.Hour, Cursor: in.Cursor, Limit: in.Limit,
	})
	if err != nil {
		return nil, err
	}
	return listOf(entries, next, exceptionOut), nil
}

func (d *door) createException(ctx context.Context, actor may.Actor, in *newExceptionIn) (*body[Exception], error) {
	b := in.Body
	made, err := d.Standard.Except(ctx, actor, standard.NewException{Place: b.Place.of(), Family: b.Family, Field: b.Field, Value: b.Value, Owner: b.Owner, Reason: b.Reason, Starts: b.From, Until: b.Until})
	if err != nil {
		return nil, err
	}
	entry, err := d.Standard.Exception(ctx, actor, made.ID)
	if err != nil {
		return nil, err
	}
	return &body[Exception]{exceptionOut(entry)}, nil
}

func (d *door) endException(ctx context.Context, actor may.Actor, in *byID) (*struct{}, error) {
	_, err := d.Standard.End(ctx, actor, in.ID)
	return nil, err
}
