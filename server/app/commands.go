package app

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"schulwart.org/policies/org"
	"schulwart.org/policies/version"
	"schulwart.org/server/backup"
	"schulwart.org/server/config"
	"schulwart.org/server/enroll"
	"schulwart.org/server/errs"
	"schulwart.org/server/may"
	"schulwart.org/server/staff"
	"schulwart.org/server/store"
)

// Terminal is where commands read and print.
type Terminal struct {
	In  io.Reader
	Out io.Writer
}

// root is who acts when somebody runs a command on the server itself: whoever
// can do that owns the machine.
func root() may.Actor {
	return may.Actor{ID: "system:cli", Name: "Kommandozeile", Grants: []may.Grant{{Role: may.Operator}}, Via: "cli"}
}

// with opens the installation for one command, beside a running server.
func with(ctx context.Context, c *config.Serve, do func(a *App) error) error {
	a, err := New(ctx, Options{Config: c, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	return errors.Join(do(a), a.Close())
}

// User makes a login, or a reset code for one that exists.
func User(ctx context.Context, c *config.UserCommand, t Terminal) error {
	return with(ctx, &c.Serve, func(a *App) error {
		made, err := a.Staff.ResetByLogin(ctx, c.Email)
		if errs.Is(err, errs.NotFound) {
			made, err = newUser(ctx, a, c)
		}
		if err != nil {
			return err
		}
		path := "/einladung/"
		if made.Kind == staff.Reset {
			fmt.Fprintf(t.Out, "%s: a reset code for an existing login. The second factor was removed.\n", made.Person.Login)
			path = "/passwort?code="
		}
		fmt.Fprintf(t.Out, "Code: %s\nLink: %s%s%s\nValid until %s\n", made.Code, c.PublicURL, path, url.PathEscape(made.Code), made.Until.Local().Format(time.RFC1123))
		return nil
	})
}

func newUser(ctx context.Context, a *App, c *config.UserCommand) (staff.Made, error) {
	if c.Name == "" {
		return staff.Made{}, errors.New("there is no such login; a new one needs --name")
	}
	branch, err := a.branchOf(ctx, org.ID(c.School))
	if err != nil {
		return staff.Made{}, err
	}
	return a.Staff.Invite(ctx, root(), staff.Invitation{Name: c.Name, Login: c.Email, Role: may.Role(c.Role), Branch: branch})
}

// branchOf reads an id as that of a school or an authority; empty is the whole
// installation.
func (a *App) branchOf(ctx context.Context, id org.ID) (org.Branch, error) {
	if id == "" {
		return org.Branch{}, nil
	}
	schools, err := a.Store.Schools(ctx, "")
	if err != nil {
		return org.Branch{}, err
	}
	for _, school := range schools {
		switch id {
		case school.School:
			return school, nil
		case school.Authority:
			return org.Branch{Authority: id}, nil
		}
	}
	return org.Branch{}, fmt.Errorf("%s is neither a school nor an authority", id)
}

// Token makes an enrolment token and prints its link.
func Token(ctx context.Context, c *config.TokenCommand, t Terminal) error {
	return with(ctx, &c.Serve, func(a *App) error {
		wanted := enroll.NewToken{Uses: c.Uses, For: time.Duration(c.Hours) * time.Hour, School: org.ID(c.Place)}
		token, err := a.Enroll.CreateToken(ctx, root(), wanted)
		if errs.Is(err, errs.NotFound) {
			wanted.School, wanted.Group = "", org.ID(c.Place)
			token, err = a.Enroll.CreateToken(ctx, root(), wanted)
		}
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(t.Out, token.URL)
		return err
	})
}

// WriteBackup writes an encrypted backup while the server runs, with the key
// and into the folder of the nightly ones unless the command names others. Only
// an installation without a key asks for words.
func WriteBackup(ctx context.Context, c *config.BackupCommand, t Terminal) error {
	return with(ctx, &c.Serve, func(a *App) error {
		key, err := a.Backup.Chosen(ctx)
		if err == nil && (c.PassphraseFile != "" || key == "") {
			key, err = passphrase(c.PassphraseFile, t)
		}
		if err != nil {
			return err
		}
		file := c.To
		if info, err := os.Stat(file); file == "" || err == nil && info.IsDir() {
			if file == "" {
				file = a.Backup.Plan().Dir
			}
			file = filepath.Join(file, "schulwart-"+time.Now().UTC().Format("20060102T150405Z")+".backup.age")
		}
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			return err
		}
		size, err := a.Backup.WriteFile(ctx, file, key)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(t.Out, "%s, %d bytes\n", file, size)
		return err
	})
}

// Restore puts a backup onto an empty machine, or into an empty PostgreSQL
// database, whatever the installation ran on when it was written.
func Restore(ctx context.Context, c *config.RestoreCommand, t Terminal) error {
	places := backup.Places{KeyFile: c.KeyFile}
	file, isFile := strings.CutPrefix(c.Database, "sqlite:")
	if places.Database = file; !isFile {
		// Said before anybody types a passphrase, and again in the transaction.
		if err := store.Vacant(ctx, c.Database); err != nil {
			return err
		}
		places.Into = func(database string) error { return store.CopyInto(ctx, database, c.Database) }
	}
	from, err := os.Open(c.From)
	if err != nil {
		return err
	}
	defer from.Close()
	key, err := passphrase(c.PassphraseFile, t)
	if err != nil {
		return err
	}
	note, err := backup.Restore(from, key, places)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(t.Out, "Restored the state of %s, written by version %s. Start with: schulwart serve --data %s%s\n", note.At.Local().Format(time.RFC1123), note.Version, c.Data, where(isFile))
	return err
}

// where reminds of the database that the server has to be told; its address may
// hold a password, which is not repeated.
func where(isFile bool) string {
	if isFile {
		return ""
	}
	return " --database postgres://…"
}

// Verify checks the audit chain and fails if a row does not fit.
func Verify(ctx context.Context, c *config.VerifyCommand, t Terminal) error {
	return with(ctx, &c.Serve, func(a *App) error {
		states, err := a.Audit.VerifyAll(ctx)
		if err != nil {
			return err
		}
		broken := 0
		for _, state := range states {
			if c.Authority != "" && state.Authority != org.ID(c.Authority) {
				continue
			}
			name := string(state.Authority)
			if name == "" {
				name = "(installation)"
			}
			if state.OK {
				fmt.Fprintf(t.Out, "%s: whole, %d rows sealed, %d not yet\n", name, state.Sealed, state.Open)
				continue
			}
			broken++
			fmt.Fprintf(t.Out, "%s: BROKEN at row %d: %s\n", name, state.BrokenAt, state.Reason)
		}
		if broken > 0 {
			return fmt.Errorf("%d of %d chains are broken", broken, len(states))
		}
		return nil
	})
}

// passphrase reads the words under which a backup is encrypted, from a file
// or from the terminal.
func passphrase(file string, t Terminal) (string, error) {
	if file != "" {
		data, err := os.ReadFile(file)
		return strings.TrimSpace(string(data)), err
	}
	fmt.Fprint(t.Out, "Passphrase or key: ")
	line, err := bufio.NewReader(t.In).ReadString('\n')
	if err != nil && !(errors.Is(err, io.EOF) && line != "") {
		return "", errors.New("no passphrase: name a file with --passphrase-file, or type it")
	}
	return strings.TrimSpace(line), nil
}

// Serve runs the server until the context ends.
func Serve(ctx context.Context, c *config.Serve, log *slog.Logger, out io.Writer) error {
	a, err := New(ctx, Options{Config: c, Log: log})
	if err != nil {
		return err
	}
	log.Info("schulwart", "version", version.String(), "data", c.Data)
	if err := a.greet(ctx, out); err != nil {
		return errors.Join(err, a.Close())
	}
	return a.Run(ctx)
}
