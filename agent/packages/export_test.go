package packages

import "context"

// Turn does once what is due.
func (k *Keeper) Turn(ctx context.Context) { k.turn(ctx) }
