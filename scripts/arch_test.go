package scripts

import (
	"slices"
	"strings"
	"testing"
)

// The import laws. Each says who must keep it, what it forbids and why. If a law
// is in your way, talk about the law before you work around it.
var importLaws = []importLaw{
	{
		name:   "policies does no I/O",
		why:    "what a device should have must be computable anywhere, twice the same; files, network, databases, logs and contexts make an answer depend on the moment",
		in:     under("policies"),
		forbid: these("os", "os/*", "net", "net/http", "net/http/*", "syscall", "context", "log", "log/*", "database/*", "golang.org/x/sys/*", "golang.org/x/net/*"),
	},
	{
		name:   "policies stands on nothing of ours",
		why:    "it is the ground on which server and agent meet",
		in:     under("policies"),
		forbid: ours("server", "agent", "web", "scripts"),
	},
	{
		name: "inside policies: org ← lease, catalog ← desired ← sheet ← presets",
		why:  "the wire (mdm, ddm) must not know what we mean by it; rollout stands on it, since it says what its words mean; and presets are content, not rules; catalog names kinds of leases to say what each platform can do with them; sheets are policies as text, for people and presets",
		in:   under("policies"),
		forbid: func(pkg, imported string) bool {
			return strings.HasPrefix(imported, "policies/") && !slices.Contains(insidePolicies[room(pkg)], imported) && !(imported == room(pkg) && pkg != imported)
		},
	},
	{
		name:   "the agent never imports the server",
		why:    "they meet in policies; the agent runs on every desk and must stay small",
		in:     under("agent"),
		forbid: ours("server", "web"),
		tests:  true,
	},
	{
		name:   "the server never imports the agent",
		why:    "they meet in policies, and a server must not carry code that changes a machine; server/e2e alone lets both live in one test",
		in:     except(under("server", "web"), under("server/e2e")),
		forbid: ours("agent"),
		tests:  true,
	},
	{
		name:   "the agent decides nothing about what a device should have",
		why:    "desired is the server's answer; a second computation on the device would be a second answer. YAML is for people",
		in:     under("agent"),
		forbid: join(ours("policies/desired", "policies/presets", "policies/sheet"), these("gopkg.in/yaml.*", "github.com/goccy/go-yaml*", "database/*", "github.com/gin-gonic/*")),
	},
	{
		name:   "the agent stays below ten megabytes",
		why:    "names are x/net/dns/dnsmessage, the message bus, fonts and certs-only answers a page of ours, forms are judged letter by letter, what a policy is for Apple and on Windows is the server's: each of these alone weighs a tenth to six tenths of a megabyte",
		in:     except(under("agent", "policies/catalog", "policies/ddm", "policies/lease", "policies/mdm", "policies/org", "policies/rollout", "policies/work"), under("agent/remote/remotetest")),
		forbid: join(ours("policies/catalog/foreign"), these("regexp", "text/template", "html/template", "encoding/gob", "net/http/pprof", "github.com/miekg/*", "github.com/godbus/*", "github.com/smallstep/*", "golang.org/x/image/font*", "golang.org/x/text/encoding*")),
	},
	{
		name:   "web imports nothing of ours",
		why:    "pages draw what stands in their struct; a page that could ask a room would decide something",
		in:     under("web"),
		forbid: ours("server", "agent", "policies", "scripts"),
	},
	{
		name:   "only the console uses web",
		why:    "programs and devices do not read pages; words for people have one way out. The app may hand over static files, a room never",
		in:     except(under("server"), under("server/console", "server/app", "server/e2e")),
		forbid: ours("web"),
	},
	{
		name: "rooms import policies, errs, may and ids only",
		why:  "a neighbour arrives through a small interface declared where it is used, and app hands it in; otherwise every room soon needs every other",
		in:   except(rooms, under("server/board")),
		forbid: func(pkg, imported string) bool {
			return strings.HasPrefix(imported, "server/") && !slices.Contains(roomsMayUse, imported) && !within(imported, room(pkg))
		},
	},
	{
		name:   "live imports policies only",
		why:    "it says which devices changed, never what; with a room's types it would carry truth beside the store",
		in:     under("server/live"),
		forbid: ours("server"),
	},
	{
		name: "board may read the words of declare and lesson, and no more",
		why:  "it is the reading room: a page's question crosses rooms (what holds here, and why?), and copying their types would let the copies drift; it writes nothing",
		in:   under("server/board"),
		forbid: func(_, imported string) bool {
			return strings.HasPrefix(imported, "server/") && !slices.Contains(append([]string{"server/declare", "server/lesson"}, roomsMayUse...), imported)
		},
	},
	{
		name:   "rooms know no HTTP",
		why:    "the same rule serves people, programs and jobs; setup and enroll speak to other servers (certificates, reachability), which is not a door",
		in:     except(rooms, under("server/setup", "server/enroll")),
		forbid: these("net/http", "net/http/*", "github.com/gin-gonic/*", "github.com/danielgtaylor/huma/*"),
	},
	{
		name: "doors go through rooms",
		why:  "a door that reads the store skips the question whether this person may; doors do not open into each other either",
		in:   except(doors, under("server/gateway/gatewaytest")),
		forbid: func(pkg, imported string) bool {
			return within(imported, "server/store") || within(imported, "server/app") || doors(imported) && !within(imported, room(pkg))
		},
	},
	{
		name:   "only store speaks SQL",
		why:    "one text for two databases can be kept in one place only",
		in:     except(everywhere, under("server/store", "server/e2e")),
		forbid: these("database/sql", "database/sql/*", "github.com/jackc/*", "modernc.org/sqlite*", "github.com/pressly/goose/*"),
	},
	{
		name:   "store is below the doors",
		why:    "it serves rooms; what it knows of HTTP it would have to unlearn for jobs and the command line",
		in:     under("server/store"),
		forbid: join(ours("server/gateway", "server/api", "server/console", "server/httpx", "server/app", "server/push", "web"), these("net/http", "github.com/gin-gonic/*")),
	},
	{
		name: "push knows devices, not rooms",
		why:  "a nudge has no content; whoever has one to send calls it",
		in:   under("server/push"),
		forbid: func(_, imported string) bool {
			return strings.HasPrefix(imported, "server/") && !within(imported, "server/push") && !slices.Contains(roomsMayUse, imported)
		},
	},
	{
		name:   "only the agent's host touches the system",
		why:    "drivers decide, host acts; so drivers compile and are tested on every machine. display is a process of its own in the pupil's session and speaks to its screen there",
		in:     except(under("agent"), under("agent/host", "agent/display")),
		forbid: these("os/exec", "golang.org/x/sys/*", "github.com/google/nftables*", "github.com/jezek/xgb*", "github.com/godbus/*"),
	},
}

// insidePolicies says what each package of the ground may use of the others.
var insidePolicies = map[string][]string{
	"policies/org":     {},
	"policies/mdm":     {},
	"policies/ddm":     {},
	"policies/version": {},
	"policies/work":    {},
	// What a device takes depends on the order of versions.
	"policies/agentfile": {"policies/version"},
	"policies/lease":     {"policies/org"},
	"policies/seb":       {"policies/lease"},
	"policies/catalog":   {"policies/org", "policies/lease"},
	"policies/presets":   {"policies/org", "policies/lease", "policies/catalog", "policies/sheet"},
	"policies/sheet":     {"policies/org", "policies/lease", "policies/catalog", "policies/desired"},
	"policies/rollout":   {"policies/org", "policies/ddm"},
	"policies/desired":   {"policies/rollout", "policies/org", "policies/lease", "policies/catalog", "policies/catalog/foreign", "policies/ddm", "policies/mdm"},
}

var roomsMayUse = []string{"server/errs", "server/may", "server/ids"}

var (
	rooms = under("server/checkin", "server/command", "server/declare", "server/enroll", "server/lesson", "server/exam", "server/rollout", "server/licence", "server/shelf",
		"server/roster", "server/staff", "server/audit", "server/board", "server/live", "server/setup", "server/backup", "server/standard", "server/packages", "server/peers")
	doors = under("server/gateway", "server/api", "server/console")
)

// The laws about what code says, where an import does not tell.
var useLaws = []useLaw{
	{
		name:  "policies asks no clock",
		why:   "time is an argument there; then a walk through a school day is a table",
		in:    under("policies"),
		calls: map[string][]string{"time": {"Now", "Since", "Until", "After", "AfterFunc", "Sleep", "NewTimer", "NewTicker", "Tick"}},
	},
	{
		name: "status codes belong to doors",
		why:  "a room returns a kind of fault, and one exit per door maps it; the registry of streams writes its own head, app answers health, demo reads those of the simulator",
		in: except(under("server"), under("server/httpx", "server/gateway", "server/api", "server/console", "server/push/stream", "server/app", "server/demo", "server/e2e",
			"server/setup", "server/enroll")),
		names: map[string]string{"net/http": "Status"},
	},
	{
		name:  "the environment is read in one place per program",
		why:   "configuration is checked once and told together. What a session or the service manager tells a process is no configuration: display asks where its screen is, words in which language, service where systemd listens",
		in:    except(under("server", "agent", "web", "policies"), under("server/config", "agent/display", "agent/words", "agent/service", "server/store/storetest"), exactly("agent")),
		calls: map[string][]string{"os": {"Getenv", "LookupEnv", "ExpandEnv"}},
	},
	{
		name:  "the agent writes files through host",
		why:   "a full disk, a power cut and a hostile link are handled once, there; control owns its socket, service its own units, and what simulate writes lies on no device",
		in:    except(under("agent"), under("agent/host", "agent/control", "agent/service", "agent/simulate")),
		calls: map[string][]string{"os": {"WriteFile", "Create", "CreateTemp", "OpenFile", "Mkdir", "MkdirAll", "Rename", "Remove", "RemoveAll", "Symlink", "Link", "Chmod", "Chown", "Truncate"}},
	},
}

func TestImportLaws(t *testing.T) {
	house := survey(t)
	for _, law := range importLaws {
		t.Run(law.name, func(t *testing.T) {
			for _, file := range house {
				if !law.in(file.path) || file.test && !law.tests {
					continue
				}
				for _, imported := range file.imports {
					if law.forbid(file.pkg, imported) {
						t.Errorf("%s imports %s\n\tthe law: %s", file.path, imported, law.why)
					}
				}
			}
		})
	}
}

func TestUseLaws(t *testing.T) {
	house := survey(t)
	for _, law := range useLaws {
		t.Run(law.name, func(t *testing.T) {
			for _, file := range house {
				if !law.in(file.path) || file.test {
					continue
				}
				for _, use := range file.uses {
					if law.forbids(use) {
						t.Errorf("%s uses %s.%s\n\tthe law: %s", use.at, use.pkg, use.name, law.why)
					}
				}
			}
		})
	}
}

// What is reached through others counts too: a small agent stays small only if
// none of the packages that it may import brings the heavy ones along.
func TestAgentReachesNothingHeavy(t *testing.T) {
	reach := reachable(survey(t), under("agent"))
	for _, pkg := range []string{"policies/desired", "policies/presets", "policies/sheet", "server/store", "web"} {
		if path, ok := reach[pkg]; ok {
			t.Errorf("the agent reaches %s through %s", pkg, strings.Join(path, " → "))
		}
	}
}

// The one place with SQL is seen by its words: a string that begins like a
// statement, in capitals as we write it.
func TestOnlyStoreWritesSQL(t *testing.T) {
	for _, file := range survey(t) {
		if within(file.pkg, "server/store") || file.test {
			continue
		}
		for _, text := range file.sql {
			t.Errorf("%s: a statement of SQL outside server/store", text)
		}
	}
}

// A test that leaves itself out by its own judgement is left out in CI too,
// where everything is required, and nobody sees it.
func TestOnlyNeedSkipsATest(t *testing.T) {
	for _, file := range survey(t) {
		if within(file.pkg, "scripts/need") {
			continue
		}
		for _, at := range file.skips {
			t.Errorf("%s skips: say through scripts/need what is missing", at)
		}
	}
}

func TestEveryPackageSaysWhatItIsFor(t *testing.T) {
	said, seen := map[string]bool{}, map[string]bool{}
	for _, file := range survey(t) {
		if !file.test {
			seen[file.pkg] = true
			said[file.pkg] = said[file.pkg] || file.doc
		}
	}
	for pkg := range seen {
		if !said[pkg] {
			t.Errorf("%s has no package comment: one sentence that says what it is for and what not", pkg)
		}
	}
}

// A package named after nothing collects everything.
func TestPackagesHaveNames(t *testing.T) {
	for _, file := range survey(t) {
		for _, part := range strings.Split(file.pkg, "/") {
			if slices.Contains([]string{"util", "utils", "common", "helper", "helpers", "models", "types", "misc", "shared", "lib"}, part) {
				t.Errorf("%s: what you were going to put there has a real home", file.pkg)
			}
		}
	}
}

// Not a law: a question. Run with -v to see the list.
func TestLongFiles(t *testing.T) {
	for _, file := range survey(t) {
		if !file.test && !file.generated && file.lines > 300 {
			t.Logf("%s has %d lines: which second thing has moved in?", file.path, file.lines)
		}
	}
}
