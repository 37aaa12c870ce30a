package store

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// ErrKeyInFront says that a sealing key is in front: it seals, and must not be removed. The last key is in front.
var ErrKeyInFront = errors.New("store: the sealing key in front")

// A keyInFrontError is the id of the key in front. It matches [ErrKeyInFront].
type keyInFrontError string

func (e keyInFrontError) Error() string {
	return fmt.Sprintf("store: key %q is in front and seals: promote another first", string(e))
}

func (e keyInFrontError) Is(target error) bool { return target == ErrKeyInFront }

// AddKey adds a new random sealing key to a key file, behind the others, and returns its id. The key opens records and seals
// none. Copy the file to every process, and let each read it, before [PromoteKey].
//
// AddKey, PromoteKey and [RemoveKey] replace the file as a whole, by renaming a new one: a crash leaves the old file, or the
// new one, on the disk. Owner, rights and comments stay. They write path with ".new" first, which also keeps two of them from
// running at once. A crash may leave that file: remove it. Errors:
//   - [ErrInvalidKeyFile], [ErrExposedKeyFile], and those of the file system, as of [ReadKeyFile]: nothing was changed.
//     [ErrInvalidKeyFile] also if the new file would be over the limit of 1 MiB, which ReadKeyFile refuses.
//   - fs.ErrExist: a file path.new is there. Nothing was changed.
//   - an error after the rename, as when the disk fails: the new file is there and may not last.
func AddKey(path string) (id string, err error) {
	err = changeKeys(path, func(lines []string, keys Keys) ([]string, error) {
		for id == "" || slices.ContainsFunc(keys.Sealing, func(k SealingKey) bool { return k.ID == id }) {
			// Never the id of another key, not even of one that was removed.
			id = "k" + time.Now().UTC().Format("20060102") + "-" + strings.ToLower(rand.Text()[:6])
		}
		return append(lines, "seal "+id+" "+newKey()+"\n"), nil
	})
	if err != nil {
		return "", err
	}
	return id, nil
}

// PromoteKey puts a sealing key of a key file in front: processes that read the file from now on seal under that key. Every
// process must have the key already, or it does not open what the others write. Promoting the key in front is no error. An
// unknown id gives [ErrNotFound]. The other errors are those of [AddKey].
func PromoteKey(path, id string) error {
	return changeKeys(path, func(lines []string, _ Keys) ([]string, error) {
		at := sealLine(lines, id)
		first := sealLine(lines)
		if at < 0 {
			return nil, fmt.Errorf("%w: sealing key %q", ErrNotFound, id)
		}
		line := lines[at]
		lines = slices.Delete(lines, at, at+1)
		return slices.Insert(lines, first, line), nil
	})
}

// RemoveKey removes a sealing key from a key file. Do so when [Vault.Reseal] has finished; before that, [OpenVault] refuses the
// file, and only a copy of it helps. Errors, besides those of [AddKey]; nothing was changed:
//   - [ErrKeyInFront]: the key is the one that seals.
//   - [ErrNotFound]: no sealing key has the id.
func RemoveKey(path, id string) error {
	return changeKeys(path, func(lines []string, _ Keys) ([]string, error) {
		at := sealLine(lines, id)
		switch at {
		case -1:
			return nil, fmt.Errorf("%w: sealing key %q", ErrNotFound, id)
		case sealLine(lines):
			return nil, keyInFrontError(id)
		}
		return slices.Delete(lines, at, at+1), nil
	})
}

// sealLine returns the number of the first line with a sealing key, of one with that id if an id is given, or -1.
func sealLine(lines []string, id ...string) int {
	return slices.IndexFunc(lines, func(line string) bool {
		fields := strings.Fields(line)
		return len(fields) == 3 && fields[0] == "seal" && (len(id) == 0 || fields[1] == id[0])
	})
}

// changeKeys replaces a key file by what change makes of its lines. Lines end with "\n".
func changeKeys(path string, change func(lines []string, keys Keys) ([]string, error)) error {
	path, err := filepath.EvalSymlinks(path) // or the rename would replace the link
	if err != nil {
		return fmt.Errorf("store: change key file: %w", err)
	}
	temporary := path + ".new"
	// Empty at first: what is in it is decided when no other change can come between.
	if err := writeNew(temporary, "", 0o600); err != nil {
		return fmt.Errorf("store: change key file: another change is under way, or was broken off: %w", err)
	}
	if err := rewrite(path, temporary, change); err != nil {
		return errors.Join(err, os.Remove(temporary))
	}
	if err := os.Rename(temporary, path); err != nil {
		return errors.Join(fmt.Errorf("store: change key file: %w", err), os.Remove(temporary))
	}
	if err := syncDir(filepath.Dir(path)); err != nil {
		return fmt.Errorf("store: change key file: it is changed, but may not last: %w", err)
	}
	return nil
}

// rewrite writes the changed lines of a key file into the temporary one, on the disk.
func rewrite(path, temporary string, change func([]string, Keys) ([]string, error)) error {
	text, info, err := readKeyText(path, true)
	if err != nil {
		return err
	}
	keys, err := ParseKeys(text)
	if err != nil {
		return err
	}
	lines := slices.Collect(strings.Lines(text))
	if last := len(lines) - 1; !strings.HasSuffix(lines[last], "\n") {
		lines[last] += "\n"
	}
	if lines, err = change(lines, keys); err != nil {
		return err
	}
	text = strings.Join(lines, "")
	if len(text) > maxKeyFile {
		return errKeyFileSize // no process could read the file
	}
	if _, err := ParseKeys(text); err != nil {
		return err
	}
	f, err := os.OpenFile(temporary, os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("store: change key file: %w", err)
	}
	_, err = f.WriteString(text)
	err = errors.Join(err, sameOwner(f, info), f.Chmod(info.Mode().Perm()), f.Sync(), f.Close())
	if err != nil {
		return fmt.Errorf("store: change key file: %w", err)
	}
	return nil
}
