package remote

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"schulwart.org/policies/ddm"
)

// mostItems bounds a manifest; a device has a few dozen declarations.
const mostItems = 2000

// errMoved says that the server's set changed while it was fetched.
var errMoved = errors.New("remote: declarations changed meanwhile")

// errUntaken says that the device itself could not take a set, as when its disk
// is full: server and network are well.
var errUntaken = errors.New("taking declarations")

// synchronize fetches what changed, and reports whether anything did. The same
// token means that nothing is to do. Who was nudged asks for the manifest at
// once, which has the token in it: that is one question less.
func (s *Session) synchronize(ctx context.Context, nudged bool) (took bool, err error) {
	token, known := s.config.Device.Known()
	if !nudged {
		offered, err := s.client.tokens(ctx)
		if err != nil {
			return false, fmt.Errorf("asking for tokens: %w", err)
		}
		if offered == token {
			return false, nil
		}
	}
	for range 3 {
		if took, err = s.fetch(ctx, token, known); !errors.Is(err, errMoved) {
			break
		}
	}
	return took, err
}

// fetch gets a whole set, what is known already from memory, and hands it over,
// unless it is the one that the device has.
func (s *Session) fetch(ctx context.Context, token string, known map[string]ddm.Declaration) (bool, error) {
	manifest, err := s.client.manifest(ctx)
	if err != nil {
		return false, fmt.Errorf("fetching manifest: %w", err)
	}
	if manifest.DeclarationsToken == token {
		return false, nil
	}
	set, err := s.complete(ctx, manifest, known)
	if err != nil {
		return false, err
	}
	if err := s.config.Device.Take(manifest, set); err != nil {
		return false, fmt.Errorf("%w: %w", errUntaken, err)
	}
	return true, nil
}

// complete returns the set of a manifest. It is errMoved if the server has
// another one by now.
func (s *Session) complete(ctx context.Context, manifest ddm.Manifest, known map[string]ddm.Declaration) ([]ddm.Declaration, error) {
	var set []ddm.Declaration
	for class, items := range manifest.Items() {
		if len(set)+len(items) > mostItems {
			return nil, errors.New("fetching declarations: too many")
		}
		for _, item := range items {
			declaration, ok := known[item.Identifier]
			if !ok || declaration.ServerToken != item.ServerToken {
				var err error
				if declaration, err = s.client.declaration(ctx, class, item.Identifier); err != nil {
					return nil, moved(err)
				}
			}
			if declaration.Identifier != item.Identifier || declaration.ServerToken != item.ServerToken || ddm.ClassOf(declaration.Type) != class {
				return nil, errMoved
			}
			set = append(set, declaration)
		}
	}
	return set, nil
}

// moved turns "no such declaration" into what it means: the manifest is old.
func moved(err error) error {
	var fault Fault
	if errors.As(err, &fault) && fault.Status == http.StatusNotFound {
		return fmt.Errorf("%w: %w", errMoved, err)
	}
	return fmt.Errorf("fetching declaration: %w", err)
}
