package may_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"schulwart.org/policies/org"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
)

var update = flag.Bool("update", false, "write the golden tables anew; read them before you commit them")

var (
	north   = org.Branch{Authority: "city", School: "north"}
	south   = org.Branch{Authority: "city", School: "south"}
	foreign = org.Branch{Authority: "county", School: "far"}
	class   = org.Branch{Authority: "city", School: "north", Group: "7b"}
)

var actions = []may.Action{
	may.SchoolRead, may.SchoolWrite, may.SchoolCreate, may.AuthorityNew, may.GroupRead, may.GroupWrite, may.DeviceRead, may.DeviceWrite,
	may.ModeStart, may.ModeEnd, may.Substitute, may.SitesWrite, may.TokenRead, may.TokenWrite, may.StaffRead, may.StaffWrite, may.PersonRead,
	may.RosterImport, may.AuditRead, may.HelpDeskUse, may.OperationRead, may.OperationRun, may.PolicyRead, may.PolicyPropose, may.PolicyWrite, may.PolicyApprove,
	may.ExamRead, may.ExamWrite, may.ExamRun, may.ExtraWrite,
}

func actor(grants ...may.Grant) may.Actor {
	return may.Actor{ID: "somebody", Name: "Frau Oert", Grants: grants, Via: "console"}
}

// The whole table of permission as people read it. A change of it shows in the
// diff of testdata.
func TestWhoMayDoWhat(t *testing.T) {
	var table strings.Builder
	fmt.Fprintf(&table, "%-16s", "")
	for _, role := range may.Roles {
		fmt.Fprintf(&table, " %-15s", role)
	}
	table.WriteString("\n")
	for _, action := range actions {
		fmt.Fprintf(&table, "%-16s", action)
		for _, role := range may.Roles {
			mark := "·"
			if may.Can(actor(may.Grant{Role: role, Branch: north}), action, class) {
				mark = "yes"
			}
			fmt.Fprintf(&table, " %-15s", mark)
		}
		table.WriteString("\n")
	}
	golden(t, "actions.txt", table.String())
}

func TestWhoMayGiveWhichRole(t *testing.T) {
	var table strings.Builder
	for _, giver := range may.Roles {
		var given []string
		for _, role := range may.Roles {
			if may.Hands(actor(may.Grant{Role: giver, Branch: north}), may.Grant{Role: role, Branch: north}) {
				given = append(given, string(role))
			}
		}
		fmt.Fprintf(&table, "%-16s %s\n", giver, strings.Join(given, " "))
	}
	golden(t, "hands.txt", table.String())
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	got = trimLines(got)
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("differs from %s; -update writes it anew\n%s", file, got)
	}
}

func trimLines(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}

// Whoever has no role in a branch must not learn that it exists.
func TestOutsideTheBranchThereIsNothing(t *testing.T) {
	for _, role := range may.Roles {
		for _, action := range actions {
			for _, elsewhere := range []org.Branch{south, foreign, {Authority: "city"}, {}} {
				_, err := may.Do(actor(may.Grant{Role: role, Branch: north}), action, elsewhere)
				if !errs.Is(err, errs.NotFound) {
					t.Errorf("%s, %s in %+v: %v", role, action, elsewhere, err)
				}
			}
		}
	}
}

func TestInsideTheBranchARefusalIsSaid(t *testing.T) {
	_, err := may.Do(actor(may.Grant{Role: may.Teacher, Branch: north}), may.StaffWrite, class)
	if !errs.Is(err, errs.Denied) || errs.Find(err).Args["action"] != string(may.StaffWrite) {
		t.Errorf("%v", err)
	}
}

func TestAPermitSaysWhoWhatAndWhere(t *testing.T) {
	who := actor(may.Grant{Role: may.Teacher, Branch: north})
	permit, err := may.Do(who, may.ModeStart, class)
	if err != nil {
		t.Fatal(err)
	}
	if !permit.Valid() || permit.Actor().ID != who.ID || permit.Action() != may.ModeStart || permit.Branch() != class {
		t.Errorf("%+v", permit)
	}
	if (may.Permit{}).Valid() {
		t.Error("a permit that nobody gave is valid")
	}
	for _, own := range []may.Permit{may.System("sweep", north), may.DeviceSays("laptop-1", north), may.Self(who, north)} {
		if !own.Valid() || own.Actor().ID == "" || own.Branch() != north {
			t.Errorf("%+v", own)
		}
	}
	if system := may.System("sweep", north); strings.HasPrefix(string(system.Actor().ID), string(who.ID)) || system.Actor().Via != "job" {
		t.Errorf("a job passes for a person: %+v", system.Actor())
	}
}

func TestNobodyWithoutARoleMayAnything(t *testing.T) {
	for _, action := range actions {
		if may.Can(actor(), action, north) || may.Anywhere(actor(), action) {
			t.Errorf("%s without any role", action)
		}
	}
	if may.Can(actor(may.Grant{Role: "janitor", Branch: north}), may.SchoolRead, north) {
		t.Error("a role that does not exist may read")
	}
}

func anyActor(t *rapid.T) may.Actor {
	grant := rapid.Custom(func(t *rapid.T) may.Grant {
		return may.Grant{Role: rapid.SampledFrom(may.Roles).Draw(t, "role"), Branch: rapid.SampledFrom([]org.Branch{{}, {Authority: "city"}, north, south, class, foreign}).Draw(t, "branch")}
	})
	return actor(rapid.SliceOfN(grant, 0, 3).Draw(t, "grants")...)
}

// What Do permits, Branches lists, and the other way round: lists and single
// pages can never disagree.
func TestListsAgreeWithSinglePages(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		who, action := anyActor(t), rapid.SampledFrom(actions).Draw(t, "action")
		for _, branch := range []org.Branch{{}, {Authority: "city"}, north, south, class, foreign} {
			listed := slices.ContainsFunc(may.Branches(who, action), func(b org.Branch) bool { return b.Holds(branch) })
			if listed != may.Can(who, action, branch) {
				t.Fatalf("%s in %+v: listed %v", action, branch, listed)
			}
		}
	})
}

// Nobody gives away more than the own role was trusted with: whoever gets a
// role from somebody can do nothing that the giver could not do there.
func TestNobodyGivesMoreThanTheyHave(t *testing.T) {
	for _, giver := range may.Roles {
		who := actor(may.Grant{Role: giver, Branch: north})
		for _, role := range may.Roles {
			if !may.Hands(who, may.Grant{Role: role, Branch: north}) {
				continue
			}
			for _, action := range actions {
				if may.Can(actor(may.Grant{Role: role, Branch: north}), action, north) && !may.Can(who, action, north) && !expected(giver, role, action) {
					t.Errorf("%s hands on %s, who may %s", giver, role, action)
				}
			}
		}
		if may.Hands(who, may.Grant{Role: may.Teacher, Branch: south}) || may.Hands(who, may.Grant{Role: may.Teacher, Branch: org.Branch{}}) {
			t.Errorf("%s gives roles outside the own branch", giver)
		}
	}
}

// An authority's admin does not teach, but says who does.
func expected(giver, role may.Role, action may.Action) bool {
	schools := []may.Action{may.ModeStart, may.Substitute, may.ExamWrite, may.ExamRun, may.ExtraWrite}
	return giver == may.AuthorityAdmin && slices.Contains(schools, action) && (role == may.Teacher || role == may.SchoolAdmin)
}

func TestProgramsGetNoMoreThanTheirMakers(t *testing.T) {
	teacher := actor(may.Grant{Role: may.Teacher, Branch: north})
	cases := []struct {
		name  string
		grant may.Grant
		want  bool
	}{
		{"the own role in the own school", may.Grant{Role: may.Teacher, Branch: north}, true},
		{"the own role in one class", may.Grant{Role: may.Teacher, Branch: class}, true},
		{"the own role in another school", may.Grant{Role: may.Teacher, Branch: south}, false},
		{"the own role everywhere", may.Grant{Role: may.Teacher}, false},
		{"another role", may.Grant{Role: may.SchoolAdmin, Branch: north}, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := may.Covers(teacher, c.grant); got != c.want {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}
