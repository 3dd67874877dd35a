package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"gopkg.in/yaml.v3"
)

// CLI is the command line of the program schulwart.
type CLI struct {
	Config string `help:"YAML file with the same keys as the flags." type:"path" env:"SCHULWART_CONFIG" placeholder:"FILE"`

	Serve    ServeCommand    `cmd:"" help:"Run the server."`
	Demo     DemoCommand     `cmd:"" help:"Run the server with a demo authority and simulated devices."`
	User     UserCommand     `cmd:"" help:"Make a login, or a new link for one."`
	Token    TokenCommand    `cmd:"" help:"Make an enrolment token."`
	Backup   BackupCommand   `cmd:"" help:"Write an encrypted backup while the server runs."`
	Restore  RestoreCommand  `cmd:"" help:"Put a backup onto an empty machine."`
	Verify   VerifyCommand   `cmd:"" help:"Check the audit chain."`
	Export   SheetsCommand   `cmd:"" help:"Write policies as sheets (YAML) into a folder; comments that stand there stay."`
	Plan     SheetsCommand   `cmd:"" help:"Say what a folder of sheets would change. Exit code 0: nothing, 2: something, 1: an error."`
	Apply    SheetsCommand   `cmd:"" help:"Make policies as a folder of sheets wants them, all or nothing."`
	Template TemplateCommand `cmd:"" help:"Make and read signed packages of templates."`
	Version  struct{}        `cmd:"" help:"Print version and commit."`
}

// ServeCommand runs the server.
type ServeCommand struct{ Serve }

// DemoCommand runs the server with a demo authority.
//
// It warns only, unless asked for more: what sixty devices tell when they enrol
// would push address and logins off the screen.
type DemoCommand struct {
	Serve   `set:"log_level=warn"`
	Devices int    `help:"Simulated devices." default:"60" env:"SCHULWART_DEVICES"`
	Logins  string `help:"File that the logins are written to, as JSON." env:"SCHULWART_LOGINS" placeholder:"FILE"`
	LAN     bool   `name:"lan" help:"Listen on the local network too, and print a QR code for a phone." env:"SCHULWART_LAN"`
	Agent   string `help:"Program schulwart-agent; the default is the one beside this program." env:"SCHULWART_AGENT" placeholder:"FILE"`
}

// UserCommand makes a login.
type UserCommand struct {
	Serve
	Email  string `arg:"" help:"Address that the person signs in with."`
	Name   string `help:"Name, as colleagues and pupils read it; needed for a new login."`
	Role   string `help:"Role of a new login." default:"operator"`
	School string `help:"Id of the school or authority that the role is for; left out, what the token speaks for, or the whole database of this machine."`
}

// TokenCommand makes an enrolment token.
type TokenCommand struct {
	Serve
	Place string `arg:"" help:"Id of the school or group."`
	Uses  int    `help:"How many devices may use it." default:"1"`
	Hours int    `help:"How long it can be used." default:"24"`
}

// BackupCommand writes a backup.
type BackupCommand struct {
	Serve
	To             string `arg:"" optional:"" help:"File or folder; the default is the folder of nightly backups."`
	PassphraseFile string `help:"File with the passphrase or public key, in place of the key that was chosen at set-up; it is asked for only if none was." placeholder:"FILE"`
}

// RestoreCommand puts a backup onto an empty machine.
type RestoreCommand struct {
	Serve
	From           string `arg:"" help:"Backup file."`
	PassphraseFile string `help:"File with the passphrase or key; without one it is asked for." placeholder:"FILE"`
}

// VerifyCommand checks the audit chain.
type VerifyCommand struct {
	Serve
	Authority string `help:"Id of one authority; none for all."`
}

// SheetsCommand keeps policies as files, on this machine or through another
// server's program interface.
type SheetsCommand struct {
	Serve
	Dir       string `short:"f" name:"dir" help:"Folder of sheets." required:"" placeholder:"DIR"`
	Server    string `help:"Address of a server; without one, the database of this machine." env:"SCHULWART_SERVER" placeholder:"URL"`
	Token     string `help:"Token of a program for --server." env:"SCHULWART_TOKEN" placeholder:"TOKEN"`
	TokenFile string `help:"File with the token." env:"SCHULWART_TOKEN_FILE" placeholder:"FILE"`
	Authority string `help:"Id of the authority that the sheets are about; none for the whole installation." placeholder:"ID"`
	School    string `help:"Id of the school that the sheets are about; needs --authority." placeholder:"ID"`
	Whole     bool   `help:"The folder is complete: a place without a sheet shall say nothing."`
	Title     string `help:"Title in the history." placeholder:"TEXT"`
	Plan      string `help:"Token that a plan printed: nothing else is carried out." placeholder:"PLAN"`
	JSON      bool   `name:"json" help:"Print the plan as JSON."`
	Lang      string `help:"Language of faults: de or en." enum:"de,en" default:"en" env:"SCHULWART_LANG"`
}

// TemplateCommand makes and reads packages in which a template travels from one
// operator to another.
type TemplateCommand struct {
	Key     TemplateKey     `cmd:"" help:"Make the key with which packages are signed, or show the public part of one that is there."`
	Pack    TemplatePack    `cmd:"" help:"Sign a sheet as a version of a template."`
	Inspect TemplateInspect `cmd:"" help:"Say what is in a package, and whether its signature holds."`
}

// TemplateKey is the key of a publisher.
type TemplateKey struct {
	File string `arg:"" help:"File of the secret key; made if it is not there." placeholder:"FILE"`
}

// TemplatePack makes a package.
type TemplatePack struct {
	Sheet     string `arg:"" help:"Sheet (YAML) without a place." placeholder:"FILE"`
	Key       string `help:"File of the secret key." required:"" placeholder:"FILE"`
	Name      string `help:"Name of the template, the same for every version: small letters, digits and dashes." required:"" placeholder:"NAME"`
	Title     string `help:"Title, as people read it." required:"" placeholder:"TEXT"`
	Revision  int    `name:"as" help:"Version; a higher one replaces a lower one." required:"" placeholder:"N"`
	Publisher string `help:"Who publishes it." required:"" placeholder:"TEXT"`
	Out       string `short:"o" help:"File of the package; printed if it is left out." placeholder:"FILE"`
	Lang      string `help:"Language of faults: de or en." enum:"de,en" default:"en" env:"SCHULWART_LANG"`
}

// TemplateInspect reads a package.
type TemplateInspect struct {
	File string `arg:"" help:"File of the package." placeholder:"FILE"`
	Lang string `help:"Language of faults: de or en." enum:"de,en" default:"en" env:"SCHULWART_LANG"`
}

// Chosen is what somebody asked the program to do.
type Chosen struct {
	Name string // "serve", "demo", "template pack", …
	CLI  *CLI
	// Place is the part of the configuration that the command carries; nil for
	// version.
	Place *Serve
}

// ErrHelp says that help was printed and there is nothing to do.
var ErrHelp = errors.New("config: help was asked for")

// Parse reads arguments (without the program's name), environment and file, and
// checks them. Help goes to out.
func Parse(args []string, out io.Writer) (Chosen, error) {
	var cli CLI
	helped := false
	parser, err := kong.New(&cli, kong.Name("schulwart"), kong.Description("Device management for schools."), kong.UsageOnError(),
		kong.Writers(out, out), kong.Exit(func(int) { helped = true }))
	if err != nil {
		return Chosen{}, err
	}
	file, err := fileOf(args)
	if err != nil {
		return Chosen{}, err
	}
	if file != nil {
		if err := kong.Resolvers(file).Apply(parser); err != nil {
			return Chosen{}, err
		}
	}
	found, err := parser.Parse(args)
	if helped {
		return Chosen{}, ErrHelp
	}
	if err != nil {
		return Chosen{}, err
	}
	chosen := Chosen{Name: commandOf(found.Command()), CLI: &cli}
	chosen.Place = cli.place(chosen.Name)
	faults := []error{file.unknown(parser)}
	if chosen.Place != nil {
		faults = append(faults, chosen.Place.Settle())
	}
	return chosen, errors.Join(faults...)
}

// commandOf leaves the arguments out: "template pack <sheet>" is "template pack".
func commandOf(text string) string {
	words := slices.DeleteFunc(strings.Fields(text), func(word string) bool { return strings.HasPrefix(word, "<") })
	return strings.Join(words, " ")
}

func (c *CLI) place(command string) *Serve {
	switch command {
	case "serve":
		return &c.Serve.Serve
	case "demo":
		return &c.Demo.Serve
	case "user":
		return &c.User.Serve
	case "token":
		return &c.Token.Serve
	case "backup":
		return &c.Backup.Serve
	case "restore":
		return &c.Restore.Serve
	case "verify":
		return &c.Verify.Serve
	case "export":
		return &c.Export.Serve
	case "plan":
		return &c.Plan.Serve
	case "apply":
		return &c.Apply.Serve
	}
	return nil
}

// settings is a YAML file whose keys are flags.
type settings struct {
	name   string
	values map[string]any
}

// fileOf reads the file that --config or SCHULWART_CONFIG names; nil if none does.
func fileOf(args []string) (*settings, error) {
	name := os.Getenv("SCHULWART_CONFIG")
	for i, arg := range args {
		if value, ok := strings.CutPrefix(arg, "--config="); ok {
			name = value
		} else if arg == "--config" && i+1 < len(args) {
			name = args[i+1]
		}
	}
	if name == "" {
		return nil, nil
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	read := &settings{name: name}
	if err := yaml.Unmarshal(data, &read.values); err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	return read, nil
}

// Validate is part of kong.Resolver.
func (s *settings) Validate(*kong.Application) error { return nil }

// Resolve returns the file's value of a flag; flags and environment win.
func (s *settings) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	value, ok := s.values[flag.Name]
	for _, name := range flag.Envs {
		if _, set := os.LookupEnv(name); set {
			return nil, nil
		}
	}
	if !ok {
		return nil, nil
	}
	if many, ok := value.([]any); ok {
		words := make([]string, len(many))
		for i, one := range many {
			words[i] = fmt.Sprint(one)
		}
		return strings.Join(words, ","), nil
	}
	return fmt.Sprint(value), nil
}

// unknown tells of keys that no command has, so that a slip of the pen is heard.
func (s *settings) unknown(parser *kong.Kong) error {
	if s == nil {
		return nil
	}
	var known []string
	for _, command := range parser.Model.Leaves(false) {
		for _, group := range command.AllFlags(false) {
			for _, flag := range group {
				known = append(known, flag.Name)
			}
		}
	}
	var faults []error
	for key := range s.values {
		if !slices.Contains(known, key) {
			faults = append(faults, fmt.Errorf("%s: unknown key %q", s.name, key))
		}
	}
	return errors.Join(faults...)
}
