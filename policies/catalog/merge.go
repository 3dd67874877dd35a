package catalog

import (
	"slices"
	"sort"
)

// Stricter returns the stricter of two values of a Strictest field.
func (f Field) stricter(a, b any) any {
	if f.Looser(b, a) {
		return a
	}
	return b
}

// Looser reports whether value is looser than than, by the field's direction.
// Equal values are not looser.
func (f Field) Looser(value, than any) bool {
	switch f.Stricter {
	case On:
		return value == false && than == true
	case Off:
		return value == true && than == false
	case Less, More:
		a, _ := value.(int)
		b, _ := than.(int)
		if f.Stricter == Less {
			return a > b
		}
		return a < b
	case Later:
		a, _ := value.(string)
		b, _ := than.(string)
		return slices.Index(f.Choices, a) < slices.Index(f.Choices, b)
	}
	return false
}

// Join returns what an upper value and the value of a place below it amount to
// by the field's merge rule. Either may be nil.
func (f Field) Join(upper, lower any) any {
	switch {
	case lower == nil:
		return upper
	case upper == nil:
		return lower
	}
	switch f.Merge {
	case Strictest:
		return f.stricter(upper, lower)
	case Union:
		return f.union(upper, lower)
	}
	return lower
}

func (f Field) union(upper, lower any) any {
	if f.Kind == Names {
		a, _ := upper.([]string)
		b, _ := lower.([]string)
		all := append(slices.Clone(a), b...)
		slices.Sort(all)
		return slices.Compact(all)
	}
	a, _ := upper.([]Settings)
	b, _ := lower.([]Settings)
	all := slices.Clone(a)
	for _, entry := range b {
		if !slices.ContainsFunc(a, func(known Settings) bool { return known.Text(f.Key) == entry.Text(f.Key) }) {
			all = append(all, entry)
		}
	}
	sort.SliceStable(all, func(i, j int) bool { return all[i].Text(f.Key) < all[j].Text(f.Key) })
	return all
}

// Without returns a list without what an exception takes out of it: names that
// are equal, entries with the same key. What is left of nothing is nil.
func (f Field) Without(list, taken any) any {
	if f.Kind == Names {
		a, _ := list.([]string)
		b, _ := taken.([]string)
		left := slices.DeleteFunc(slices.Clone(a), func(name string) bool { return slices.Contains(b, name) })
		if len(left) == 0 {
			return nil
		}
		return left
	}
	a, _ := list.([]Settings)
	b, _ := taken.([]Settings)
	left := slices.DeleteFunc(slices.Clone(a), func(entry Settings) bool {
		return slices.ContainsFunc(b, func(other Settings) bool { return other.Text(f.Key) == entry.Text(f.Key) })
	})
	if len(left) == 0 {
		return nil
	}
	return left
}

// Except returns what an exception makes of the value from above: the
// exception's own value, or, of a list that adds up, the list without the
// exception's items.
func (f Field) Except(upper, exception any) any {
	if f.Merge == Union && f.Lists() {
		return f.Without(upper, exception)
	}
	return exception
}

// Deviates reports whether a value that a place below sets is a deviation from
// the value above, which only an exception allows. Adding to a list and being
// stricter is none.
func (f Field) Deviates(upper, lower any) bool {
	switch {
	case upper == nil || lower == nil || Same(upper, lower):
		return false
	case f.Merge == Union:
		return false
	case f.Merge == Strictest:
		return f.Looser(lower, upper)
	}
	return true
}
