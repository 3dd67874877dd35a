package api

import (
	"context"
	"net/http"
	"time"

	"schulwart.org/policies/ddm"
	"schulwart.org/policies/org"
	ground "schulwart.org/policies/rollout"
	"schulwart.org/server/may"
	"schulwart.org/server/rollout"
)

// Ring is a step of a rollout.
type Ring struct {
	Kind  ground.RingKind `json:"kind" enum:"group,share,school,all" doc:"A device belongs to the first ring that has it."`
	Place org.ID          `json:"place,omitempty" maxLength:"64" doc:"Id of the group or school."`
	Share float64         `json:"share,omitempty" minimum:"0" maximum:"100" doc:"Percent of all devices, drawn by lot once for this rollout."`
}

// RingFigures is a ring with what became of its devices.
type RingFigures struct {
	Name string `json:"name" doc:"Kind and share or place." example:"share 5"`
	Ring
	Devices  int               `json:"devices"`
	Verified int               `json:"verified" doc:"Their system itself names the version as present."`
	Failed   int               `json:"failed"`
	Unable   int               `json:"unable" doc:"That say that they cannot."`
	Begun    int               `json:"begun" doc:"That are at it."`
	Ailing   int               `json:"ailing" doc:"Of the verified ones: they keep fewer of their policies than when they got it."`
	Waiting  int               `json:"unlicensed" doc:"That wait for a licence."`
	State    rollout.RingState `json:"state" enum:"ahead,open,passed,halted"`
	Since    *time.Time        `json:"since" doc:"When it was offered; of the last one only."`
}

// Gates say when the next ring follows and when all stops.
type Gates struct {
	Verified      int     `json:"verified,omitempty" minimum:"0" doc:"So many devices of the ring must have it, or all of a smaller one; at least one."`
	Hours         int     `json:"hours,omitempty" minimum:"0" maximum:"2160" doc:"So long must the ring have been offered it."`
	FailedPercent float64 `json:"failed_percent" minimum:"0" maximum:"100" doc:"Above this share of a ring's devices the rollout halts."`
	AilingPercent float64 `json:"ailing_percent,omitempty" minimum:"0" maximum:"100" doc:"Above this share of a ring's devices that have it, it halts because they keep fewer of their policies than when they got it; 0 or none: not looked at."`
	FailedIgnored int     `json:"failed_ignored,omitempty" minimum:"0" doc:"So many failures never halt it, however small the ring."`
}

// Line is what a rollout may ask of the line of each site.
type Line struct {
	Rate  int  `json:"rate,omitempty" minimum:"0" maximum:"1250000" doc:"Kilobytes (1,000 bytes) a second that all devices of a site together take from the server; 0 or none: as many as come."`
	Alone bool `json:"alone,omitempty" doc:"Devices have the file from the server only, not from each other."`
}

// Rollout is a package on its way.
type Rollout struct {
	ID        org.ID            `json:"id"`
	Authority org.ID            `json:"authority"`
	School    org.ID            `json:"school,omitempty" doc:"The only one that is meant."`
	Title     string            `json:"title"`
	Package   RolloutPackage    `json:"package"`
	Former    *RolloutPackage   `json:"former,omitempty" doc:"The version before, to which devices go back; without one the package is removed."`
	State     ground.State      `json:"state" enum:"draft,running,waiting,halted,done,rolled_back"`
	Reason    *RolloutHalt      `json:"reason,omitempty" doc:"Why it halted."`
	Try       int               `json:"try" doc:"Grows with each retry."`
	Gates     Gates             `json:"gates"`
	Line      Line              `json:"line"`
	Window    Window            `json:"window"`
	Deadline  *time.Time        `json:"deadline" doc:"From then on only lessons are spared."`
	Rings     []RingFigures     `json:"rings" nullable:"false" doc:"Empty in lists."`
	Failures  []RolloutFailures `json:"failures" nullable:"false" doc:"Devices that failed or cannot, by reason; empty in lists."`
	Licences  *RolloutLicences  `json:"licences,omitempty" doc:"Where licences of the app are counted; left out in lists."`
	Sites     []RolloutSite     `json:"sites" nullable:"false" doc:"From where the sites had the file, those with most devices first; empty in lists."`
	Events    []RolloutEvent    `json:"events" nullable:"false" doc:"What happened to it, the last first; empty in lists."`
	Above     bool              `json:"above,omitempty" doc:"Your authority's: figures and devices are those of your schools."`
	Opens     *time.Time        `json:"opens" doc:"When the opening begins that runs, or comes next, at the first school."`
	Closes    *time.Time        `json:"closes"`
	StartedAt *time.Time        `json:"started_at"`
	ChangedAt time.Time         `json:"changed_at"`
	By        Named             `json:"by"`
}

// RolloutPackage names a package.
type RolloutPackage struct {
	ID      org.ID `json:"id"`
	Name    string `json:"name"`
	Version string `json:"version"`
}

// RolloutHalt is why a rollout halted.
type RolloutHalt struct {
	Why   ground.Why `json:"why" enum:"failed,ailing,paused"`
	Ring  int        `json:"ring" doc:"Where, counted from 1."`
	Count int        `json:"count" doc:"Devices that were too many."`
	Of    int        `json:"of"`
}

// RolloutFailures are devices that failed for the same reason.
type RolloutFailures struct {
	Reason  string            `json:"reason"`
	Details map[string]string `json:"details,omitempty"`
	Devices int               `json:"devices"`
}

// RolloutEvent is one thing that happened to a rollout.
type RolloutEvent struct {
	At     time.Time    `json:"at"`
	What   string       `json:"what" enum:"planned,start,ring,done,halts,pause,resume,retry,rollback"`
	By     string       `json:"by,omitempty" doc:"None where it went on by itself."`
	Ring   int          `json:"ring,omitempty" doc:"The last one offered then, counted from 1."`
	Reason *RolloutHalt `json:"reason,omitempty" doc:"Why it halted."`
}

// RolloutSite is devices of a school behind one line, and from where they had the
// file.
type RolloutSite struct {
	School     Named `json:"school"`
	Single     bool  `json:"single,omitempty" doc:"Devices that are each alone behind a line."`
	Devices    int   `json:"devices"`
	FromServer int64 `json:"from_server" doc:"Bytes, in all rollouts of this file."`
	FromPeers  int64 `json:"from_peers" doc:"Bytes that came from other devices of the site."`
	Liars      int   `json:"liars,omitempty" doc:"Devices that gave others what the file does not hold; nothing of it was taken."`
}

// RolloutDevice is what is known of one device.
type RolloutDevice struct {
	ID      org.ID           `json:"id"`
	Name    string           `json:"name"`
	School  org.ID           `json:"school"`
	Ring    int              `json:"ring" doc:"Counted from 1."`
	Offered bool             `json:"offered"`
	Ailing  bool             `json:"ailing,omitempty" doc:"It has it, and keeps fewer of its policies than when it got it."`
	Outcome ground.Outcome   `json:"outcome" enum:",pending,verified,failed,unable,unlicensed" doc:"Empty while it said nothing that counts."`
	State   ddm.PackageState `json:"state,omitempty" doc:"As the device says it."`
	Present string           `json:"present,omitempty" doc:"Version that its system names as present."`
	Reason  string           `json:"reason,omitempty"`
	Try     int              `json:"try" doc:"The last one that it spoke of."`
	Tries   int              `json:"tries" doc:"How often it came to an end, good or bad."`
	Since   *time.Time       `json:"since" doc:"Time of the device."`
	SaidAt  *time.Time       `json:"said_at" doc:"When it came."`
	Seen    *time.Time       `json:"last_seen"`
}

func instantOut(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	return &at
}

func packageOut(p ground.Package) RolloutPackage { return RolloutPackage{p.ID, p.Name, p.Version} }

func rolloutOut(r rollout.Rollout) Rollout {
	g := r.Plan.Gates
	out := Rollout{
		ID: r.ID, Authority: r.Branch.Authority, School: r.Branch.School, Title: r.Title, Package: packageOut(r.Package), State: r.Status.State, Try: r.Status.Try,
		Gates: Gates{g.Verified, g.Hours, g.Failed, g.Ailing, g.Least}, Line: Line{r.Plan.Line.Rate, r.Plan.Line.Alone}, Window: windowOut(r.Plan.Window), Deadline: instantOut(r.Plan.Window.Deadline), Rings: []RingFigures{}, Failures: []RolloutFailures{}, Sites: []RolloutSite{}, Events: []RolloutEvent{},
		StartedAt: instantOut(r.Started), ChangedAt: r.Changed, By: Named{r.By, r.ByName},
	}
	if r.Former != nil {
		former := packageOut(*r.Former)
		out.Former = &former
	}
	if s := r.Status; s.State == ground.Halted {
		out.Reason = &RolloutHalt{s.Why, s.Where + 1, s.Count, s.Of}
	}
	return out
}

func rolloutViewOut(v rollout.View) Rollout {
	out := rolloutOut(v.Rollout)
	out.Opens, out.Closes, out.Licences = instantOut(v.Opens), instantOut(v.Closes), shortageOut(v.Licences)
	for _, r := range v.Rings {
		out.Rings = append(out.Rings, RingFigures{r.Name(), Ring{r.Kind, r.Place, r.Share}, r.Devices, r.Verified, r.Failed, r.Unable, r.Begun, r.Ailing, r.Unlicensed, r.State, instantOut(r.Since)})
	}
	out.Above = v.Above
	for _, step := range v.Steps {
		event := RolloutEvent{At: step.At, What: step.What, By: step.By, Ring: step.Status.Ring + 1}
		if step.What == "halts" {
			event.Reason = &RolloutHalt{step.Status.Why, step.Status.Where + 1, step.Status.Count, step.Status.Of}
		}
		out.Events = append(out.Events, event)
	}
	for _, s := range v.Sites {
		out.Sites = append(out.Sites, RolloutSite{Named{s.School, s.Name}, s.Single, s.Devices, s.FromServer, s.FromPeers, s.Liars})
	}
	for _, r := range v.Reasons {
		out.Failures = append(out.Failures, RolloutFailures{r.Code, r.Details, r.Devices})
	}
	return out
}

func rolloutDeviceOut(v rollout.DeviceView) RolloutDevice {
	out := RolloutDevice{ID: v.ID, Name: v.Name, School: v.Branch.School, Ring: v.Ring + 1, Offered: v.Offered, Outcome: v.Outcome, Ailing: v.Ailing, Seen: instantOut(v.Seen)}
	if v.Word != nil {
		out.State, out.Present, out.Try, out.Tries, out.Since, out.SaidAt = v.Word.State, v.Word.Present, v.Word.Try, v.Word.Tries, instantOut(v.Word.Since), instantOut(v.Word.At)
		if v.Word.Reason != nil {
			out.Reason = v.Word.Reason.Code
		}
	}
	return out
}

// NewRollout is what somebody wants to roll out.
type NewRollout struct {
	Title   string `json:"title,omitempty" maxLength:"120"`
	Package org.ID `json:"package" maxLength:"64"`
	Target  struct {
		Level org.Level `json:"level" enum:"authority,school,group"`
		ID    org.ID    `json:"id" maxLength:"64"`
	} `json:"target"`
	Rings    []Ring    `json:"rings,omitempty" maxItems:"10" doc:"In order; without any: 5 percent, 20 percent, all."`
	Window   Window    `json:"window,omitempty"`
	Gates    Gates     `json:"gates,omitempty"`
	Line     Line      `json:"line,omitempty"`
	Deadline time.Time `json:"deadline,omitempty" doc:"From then on only lessons are spared."`
	Draft    bool      `json:"draft,omitempty" doc:"Keep it, and begin nothing."`
}

func (n NewRollout) wanted() (rollout.New, error) {
	window, err := n.Window.of()
	window.Deadline = n.Deadline
	wanted := rollout.New{
		Title: n.Title, Package: n.Package, Level: n.Target.Level, Place: n.Target.ID, Window: window, Draft: n.Draft,
		Gates: ground.Gates{Verified: n.Gates.Verified, Hours: n.Gates.Hours, Failed: n.Gates.FailedPercent, Least: n.Gates.FailedIgnored, Ailing: n.Gates.AilingPercent},
		Line:  ground.Line{Rate: n.Line.Rate, Alone: n.Line.Alone},
	}
	for _, ring := range n.Rings {
		wanted.Rings = append(wanted.Rings, ground.Ring{Kind: ring.Kind, Place: ring.Place, Share: ring.Share})
	}
	return wanted, err
}

type newRolloutIn struct{ Body NewRollout }

type rolloutsIn struct {
	Paging
	State ground.State `query:"state" enum:"draft,running,waiting,halted,done,rolled_back"`
}

// outcomeNone filters by devices that said nothing that counts.
const outcomeNone = "none"

type rolloutDevicesIn struct {
	Paging
	ID      org.ID `path:"id" maxLength:"64"`
	Ring    int    `query:"ring" minimum:"0" maximum:"10" doc:"Counted from 1; 0 for all."`
	Outcome string `query:"outcome" enum:"none,pending,verified,failed,unable,unlicensed"`
	Reason  string `query:"reason" maxLength:"200" doc:"Of a failure, as the rollout's failures name it."`
}

type touchesIn struct {
	ID org.ID     `path:"id" maxLength:"64"`
	Do rollout.Do `query:"do" required:"true" enum:"start,pause,resume,retry,rollback"`
}

// Touched is what a deed would touch.
type Touched struct {
	Possible bool   `json:"possible" doc:"The rollout's state allows it."`
	Devices  int    `json:"devices" doc:"Whose answer would change."`
	Have     int    `json:"have" doc:"Of them have the version now."`
	Begun    int    `json:"begun" doc:"Of them are at it, or have failed."`
	Version  string `json:"version,omitempty" doc:"That they would have then; none if it would be removed, or is another one on each."`
	Own      bool   `json:"own,omitempty" doc:"Each device would have the version again that it had before."`
}

func registerRollouts(d *door) {
	handle(d, op{id: "list-rollouts", method: http.MethodGet, path: "/api/v1/rollouts", summary: "List rollouts, the latest first", needs: may.AppRead}, d.rollouts)
	handle(d, op{id: "create-rollout", method: http.MethodPost, path: "/api/v1/rollouts", summary: "Roll a package out", needs: may.RolloutRun, status: http.StatusCreated}, d.createRollout)
	handle(d, op{id: "preview-rollout", method: http.MethodPost, path: "/api/v1/rollouts/preview", summary: "Say what a rollout would reach", needs: may.RolloutRun}, d.previewRollout)
	handle(d, op{id: "get-rollout", method: http.MethodGet, path: "/api/v1/rollouts/{id}", summary: "Get a rollout with its figures", needs: may.AppRead}, d.findRollout)
	handle(d, op{id: "list-rollout-devices", method: http.MethodGet, path: "/api/v1/rollouts/{id}/devices", summary: "List a rollout's devices by name", needs: may.AppRead}, d.rolloutDevices)
	handle(d, op{id: "preview-rollout-deed", method: http.MethodGet, path: "/api/v1/rollouts/{id}/preview", summary: "Say what a deed would touch", needs: may.AppRead}, d.touches)
	for _, deed := range []struct {
		do      rollout.Do
		summary string
	}{
		{rollout.DoStart, "Start a draft"}, {rollout.DoPause, "Halt a rollout"}, {rollout.DoResume, "Let a halted rollout go on"},
		{rollout.DoRetry, "Let devices that failed try again"}, {rollout.DoRollBack, "Go back to the version before"},
	} {
		handle(d, op{id: string(deed.do) + "-rollout", method: http.MethodPost, path: "/api/v1/rollouts/{id}/" + string(deed.do), summary: deed.summary, needs: may.RolloutRun},
			func(ctx context.Context, actor may.Actor, in *byID) (*body[Rollout], error) {
				return rolloutBody(d.Rollouts.Act(ctx, actor, in.ID, deed.do))
			})
	}
}

func rolloutBody(v rollout.View, err error) (*body[Rollout], error) {
	if err != nil {
		return nil, err
	}
	return &body[Rollout]{rolloutViewOut(v)}, nil
}

func (d *door) rollouts(ctx context.Context, actor may.Actor, in *rolloutsIn) (*body[List[Rollout]], error) {
	list, next, err := d.Rollouts.List(ctx, actor, rollout.Filter{State: in.State, Limit: in.Limit, After: in.Cursor})
	if err != nil {
		return nil, err
	}
	return listOf(list, next, rolloutOut), nil
}

func (d *door) createRollout(ctx context.Context, actor may.Actor, in *newRolloutIn) (*body[Rollout], error) {
	wanted, err := in.Body.wanted()
	if err != nil {
		return nil, err
	}
	return rolloutBody(d.Rollouts.Create(ctx, actor, wanted))
}

func (d *door) previewRollout(ctx context.Context, actor may.Actor, in *newRolloutIn) (*body[Rollout], error) {
	wanted, err := in.Body.wanted()
	if err != nil {
		return nil, err
	}
	return rolloutBody(d.Rollouts.Preview(ctx, actor, wanted))
}

func (d *door) findRollout(ctx context.Context, actor may.Actor, in *byID) (*body[Rollout], error) {
	return rolloutBody(d.Rollouts.Find(ctx, actor, in.ID))
}

func (d *door) rolloutDevices(ctx context.Context, actor may.Actor, in *rolloutDevicesIn) (*body[List[RolloutDevice]], error) {
	filter := rollout.DeviceFilter{Ring: in.Ring, Reason: in.Reason, Limit: in.Limit, After: in.Cursor}
	if in.Outcome != "" {
		outcome := ground.Outcome(in.Outcome)
		if in.Outcome == outcomeNone {
			outcome = ground.OutcomeNone
		}
		filter.Outcome = &outcome
	}
	list, next, err := d.Rollouts.Devices(ctx, actor, in.ID, filter)
	if err != nil {
		return nil, err
	}
	return listOf(list, next, rolloutDeviceOut), nil
}

func (d *door) touches(ctx context.Context, actor may.Actor, in *touchesIn) (*body[Touched], error) {
	t, err := d.Rollouts.Touches(ctx, actor, in.ID, in.Do)
	if err != nil {
		return nil, err
	}
	return &body[Touched]{Touched{t.Possible, t.Devices, t.Have, t.Begun, t.Version, t.Own}}, nil
}
