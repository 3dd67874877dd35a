package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"schulwart.org/server/store"
	"schulwart.org/server/store/storetest"
)

func TestSecretsAreSealedUnderTheKeyFile(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		if err := s.PutSecret(ctx, "lease-key", []byte("geheim")); err != nil {
			t.Fatal(err)
		}
		if sealed, _ := s.Setting(ctx, "secret:lease-key"); sealed == "" || sealed == "geheim" {
			t.Fatalf("at rest: %q", sealed)
		}
		secret, err := s.Secret(ctx, "lease-key")
		if err != nil || string(secret) != "geheim" {
			t.Fatalf("read back %q, %v", secret, err)
		}
	})
}

// Servers that begin at once agree on one key.
func TestASecretIsMadeOnce(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		var all sync.WaitGroup
		kept := make([]string, 8)
		for i := range kept {
			all.Go(func() {
				secret, err := s.EnsureSecret(ctx, "links", fmt.Append(nil, "key ", i))
				if err != nil {
					t.Error(err)
				}
				kept[i] = string(secret)
			})
		}
		all.Wait()
		read, err := s.Secret(ctx, "links")
		if err != nil {
			t.Fatal(err)
		}
		for i, secret := range kept {
			if secret != string(read) {
				t.Errorf("server %d holds %q, kept is %q", i, secret, read)
			}
		}
	})
}

func TestAFailedRequestDisturbsNobodyInItsBatch(t *testing.T) {
	storetest.Run(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		wrong := errors.New("wrong")
		var all sync.WaitGroup
		for i := range 64 {
			all.Go(func() {
				err := s.Atomically(ctx, func(ctx context.Context) error {
					if err := s.PutSetting(ctx, fmt.Sprint("n", i), "x"); err != nil {
						return err
					}
					if i%2 == 1 {
						return wrong
					}
					return nil
				})
				if (i%2 == 1) != errors.Is(err, wrong) {
					t.Errorf("request %d: %v", i, err)
				}
			})
		}
		all.Wait()
		for i := range 64 {
			value, err := s.Setting(ctx, fmt.Sprint("n", i))
			if err != nil {
				t.Fatal(err)
			}
			if (i%2 == 0) != (value == "x") {
				t.Errorf("request %d left %q", i, value)
			}
		}
	})
}

func TestAPanicInOneRequestDoesNotStopTheWriter(t *testing.T) {
	s := storetest.Open(t)
	ctx := context.Background()
	if err := s.Atomically(ctx, func(context.Context) error { panic("oops") }); err == nil {
		t.Fatal("a panic was taken for success")
	}
	if err := s.PutSetting(ctx, "after", "yes"); err != nil {
		t.Fatal(err)
	}
}
