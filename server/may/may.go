// Package may is the one place that decides whether a person may do something
// somewhere. A room asks it once and gets a Permit; every write that a person
// causes takes that permit, and its audit row is made from it.
package may

import (
	"slices"

	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
)

// Role is what somebody is in a branch of the tree.
type Role string

// The roles.
const (
	Operator       Role = "operator"        // Betreiber
	HelpDesk       Role = "help_desk"       // Hotline
	Technician     Role = "technician"      // Technik vor Ort
	AuthorityAdmin Role = "authority_admin" // Administration des Trägers
	SchoolAdmin    Role = "school_admin"    // Administration der Schule
	Trainee        Role = "trainee"         // Auszubildende: proposes only
	Teacher        Role = "teacher"         // Lehrkraft
	ReadOnly       Role = "read_only"       // nur lesen (Leitung des Trägers)
)

// Roles lists the roles from the widest to the narrowest.
var Roles = []Role{Operator, HelpDesk, Technician, AuthorityAdmin, SchoolAdmin, Trainee, Teacher, ReadOnly}

// Action is one thing that people do.
type Action string

// The actions. A name says noun and verb.
const (
	SchoolRead    Action = "school.read"    // see a school, its groups and devices
	SchoolWrite   Action = "school.write"   // change a school's settings
	SchoolCreate  Action = "school.create"  // create schools in an authority
	AuthorityNew  Action = "authority.new"  // create authorities
	GroupRead     Action = "group.read"     // see groups and their boards
	GroupWrite    Action = "group.write"    // create, change, fill groups
	DeviceRead    Action = "device.read"    // open a device's page
	DeviceWrite   Action = "device.write"   // rename, move, retire a device
	ModeStart     Action = "mode.start"     // switch a group into a mode, extend it
	ModeEnd       Action = "mode.end"       // end a mode, show a release code
	Substitute    Action = "lesson.take"    // take a class or a set for a lesson
	SitesWrite    Action = "sites.write"    // keep lists of allowed sites
	TokenRead     Action = "token.read"     // see enrolment tokens
	TokenWrite    Action = "token.write"    // make and revoke enrolment tokens
	StaffRead     Action = "staff.read"     // see who has a login
	StaffWrite    Action = "staff.write"    // invite, change roles, reset passwords
	PersonRead    Action = "person.read"    // see pupils, where a school keeps them
	RosterImport  Action = "roster.import"  // import files
	AuditRead     Action = "audit.read"     // read the audit log
	HelpDeskUse   Action = "helpdesk.use"   // search across schools, open the call page
	OperationRead Action = "operation.read" // certificates, backup, capacity
	OperationRun  Action = "operation.run"  // set-up, backup now, keys
	PolicyRead    Action = "policy.read"    // see policies, drafts, history and exceptions
	PolicyPropose Action = "policy.propose" // prepare drafts and put them before a second person
	PolicyWrite   Action = "policy.write"   // publish policies, file and end exceptions
	PolicyApprove Action = "policy.approve" // publish what somebody else proposed
	ExamRead      Action = "exam.read"      // see examinations that are planned
	ExamWrite     Action = "exam.write"     // prepare, change, copy and cancel examinations
	ExamRun       Action = "exam.run"       // start, extend, hand over, let in again
	ExtraWrite    Action = "extra.write"    // enter extra time of pupils
	AppRead       Action = "app.read"       // see the catalogue of apps and rollouts
	AppWrite      Action = "app.write"      // take packages in and out
	LicenceWrite  Action = "licence.write"  // keep pools of licences
	ShelfWrite    Action = "shelf.write"    // choose what a school lets people pick, decide what teachers ask for
	AppAsk        Action = "app.ask"        // see what is there for teachers, pick it, ask for more
	RolloutRun    Action = "rollout.run"    // start, pause, go on with, retry and take back rollouts
	AccountOwn    Action = "account.own"    // one's own password, factor, sessions; everybody
)

// grants says which role may do what in its branch. A role not named here may
// not.
var grants = map[Role][]Action{
	Operator: {SchoolRead, SchoolWrite, SchoolCreate, AuthorityNew, GroupRead, GroupWrite, DeviceRead, DeviceWrite, ModeStart, ModeEnd,
		Substitute, SitesWrite, TokenRead, TokenWrite, StaffRead, StaffWrite, PersonRead, RosterImport, AuditRead, HelpDeskUse, OperationRead, OperationRun, PolicyRead, PolicyPropose, PolicyWrite, PolicyApprove,
		ExamRead, ExamWrite, ExamRun, ExtraWrite, AppRead, AppWrite, RolloutRun, LicenceWrite, ShelfWrite},
	HelpDesk:       {AppRead, SchoolRead, GroupRead, DeviceRead, ModeEnd, TokenRead, StaffRead, HelpDeskUse, PolicyRead, ExamRead},
	Technician:     {AppRead, SchoolRead, GroupRead, DeviceRead, DeviceWrite, TokenRead, TokenWrite, HelpDeskUse, PolicyRead},
	AuthorityAdmin: {AppRead, AppWrite, RolloutRun, LicenceWrite, ShelfWrite, SchoolRead, SchoolWrite, SchoolCreate, GroupRead, GroupWrite, DeviceRead, DeviceWrite, ModeEnd, SitesWrite, TokenRead, TokenWrite, StaffRead, StaffWrite, PersonRead, RosterImport, AuditRead, HelpDeskUse, PolicyRead, PolicyPropose, PolicyWrite, PolicyApprove, ExamRead},
	SchoolAdmin: {AppRead, RolloutRun, LicenceWrite, ShelfWrite, AppAsk, SchoolRead, SchoolWrite, GroupRead, GroupWrite, DeviceRead, DeviceWrite, ModeStart, ModeEnd, Substitute, SitesWrite, TokenRead, TokenWrite, StaffRead, StaffWrite, PersonRead, RosterImport, AuditRead, PolicyRead, PolicyPropose, PolicyWrite, PolicyApprove,
		ExamRead, ExamWrite, ExamRun, ExtraWrite},
	Trainee:  {AppRead, SchoolRead, GroupRead, DeviceRead, TokenRead, PolicyRead, PolicyPropose},
	Teacher:  {AppAsk, GroupRead, ModeStart, ModeEnd, Substitute, SitesWrite, ExamRead, ExamWrite, ExamRun},
	ReadOnly: {AppRead, SchoolRead, GroupRead, DeviceRead, PolicyRead},
}

// Grant is a role in a branch.
type Grant struct {
	Role   Role       `json:"role"`
	Branch org.Branch `json:"branch"`
}

// Actor is the person or program that asks, as a door recognised it.
type Actor struct {
	ID     org.ID  // staff id, or id of an API token
	Name   string  // as pupils and colleagues may read it
	Login  string  // e-mail address
	Grants []Grant // roles, each in its branch
	From   string  // address that the request came from
	Via    string  // "console", "api", "cli", "job"
}

// Permit proves that may was asked. Only this package makes one.
type Permit struct {
	actor  Actor
	action Action
	branch org.Branch
}

// Do returns the permit for the action in the branch. It is a NotFound fault if
// the actor has no role that reaches the branch, so that nobody learns what
// exists elsewhere, and a Denied fault if a role reaches it but does not allow
// the action.
func Do(actor Actor, action Action, branch org.Branch) (Permit, error) {
	reaches := false
	for _, grant := range actor.Grants {
		if !grant.Branch.Holds(branch) {
			continue
		}
		reaches = true
		if allows(grant.Role, action) {
			return Permit{actor: actor, action: action, branch: branch}, nil
		}
	}
	if !reaches {
		return Permit{}, errs.E(errs.NotFound, "not_found")
	}
	return Permit{}, errs.E(errs.Denied, "denied", "action", string(action))
}

// Can reports whether Do would return a permit; for navigation and buttons.
func Can(actor Actor, action Action, branch org.Branch) bool {
	_, err := Do(actor, action, branch)
	return err == nil
}

// SeesNames reports whether the actor reads there which pupil has which device:
// who looks after pupils, and who teaches. Everybody else gets by with inventory
// numbers.
func SeesNames(actor Actor, branch org.Branch) bool {
	return Can(actor, PersonRead, branch) || Can(actor, ModeStart, branch)
}

// Anywhere reports whether the actor may do the action in some branch.
func Anywhere(actor Actor, action Action) bool { return len(Branches(actor, action)) > 0 }

// Branches lists the branches in which the actor may do the action. Lists are
// bound to them.
func Branches(actor Actor, action Action) []org.Branch {
	var branches []org.Branch
	for _, grant := range actor.Grants {
		if allows(grant.Role, action) {
			branches = append(branches, grant.Branch)
		}
	}
	return branches
}

// Reach lists all branches in which the actor has any role.
func Reach(actor Actor) []org.Branch {
	branches := make([]org.Branch, len(actor.Grants))
	for i, grant := range actor.Grants {
		branches[i] = grant.Branch
	}
	return branches
}

// Self returns the permit for what everybody may do to the own account:
// sign in and out, choose a password, a language, a second factor.
func Self(actor Actor, branch org.Branch) Permit {
	return Permit{actor: actor, action: AccountOwn, branch: branch}
}

// hands says who may give whom which role, inside the own branch. Nobody can
// give away more than the role was trusted with.
var hands = map[Role][]Role{
	Operator:       Roles,
	AuthorityAdmin: {Technician, AuthorityAdmin, SchoolAdmin, Trainee, Teacher, ReadOnly},
	SchoolAdmin:    {SchoolAdmin, Trainee, Teacher, ReadOnly},
}

// Hands reports whether the actor may give somebody the grant, take it back, or
// act on the account of somebody who has it.
func Hands(actor Actor, grant Grant) bool {
	for _, own := range actor.Grants {
		if own.Branch.Holds(grant.Branch) && slices.Contains(hands[own.Role], grant.Role) {
			return true
		}
	}
	return false
}

// Covers reports whether the actor has the grant itself, or one that holds it:
// programs get no more than their makers have.
func Covers(actor Actor, grant Grant) bool {
	for _, own := range actor.Grants {
		if own.Role == grant.Role && own.Branch.Holds(grant.Branch) {
			return true
		}
	}
	return Hands(actor, grant)
}

// System returns the permit of a job of the server itself.
func System(job string, branch org.Branch) Permit {
	return Permit{actor: Actor{ID: org.ID("system:" + job), Name: job, Via: "job"}, action: Action("job." + job), branch: branch}
}

// DeviceSays returns the permit for what a device reports of itself.
func DeviceSays(device org.ID, branch org.Branch) Permit {
	return Permit{actor: Actor{ID: device, Name: "device", Via: "device"}, action: "device.report", branch: branch}
}

// AtDevice returns the permit for what whoever sits at a device picks for it.
func AtDevice(device org.ID, branch org.Branch) Permit {
	return Permit{actor: Actor{ID: device, Name: "device", Via: "device"}, action: "device.pick", branch: branch}
}

// Actor returns who was permitted.
func (p Permit) Actor() Actor { return p.actor }

// Action returns what was permitted.
func (p Permit) Action() Action { return p.action }

// Branch returns where it was permitted.
func (p Permit) Branch() org.Branch { return p.branch }

// Valid reports whether may made the permit. The zero value is not valid, and
// the store refuses it.
func (p Permit) Valid() bool { return p.action != "" }

func allows(role Role, action Action) bool {
	for _, allowed := range grants[role] {
		if allowed == action {
			return true
		}
	}
	return false
}
