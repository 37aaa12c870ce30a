package store

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"golang.org/x/crypto/chacha20poly1305"
)

var (
	// ErrInvalidKeyFile says that a text is not that of a key file: it is empty or cut off, or a line is wrong.
	ErrInvalidKeyFile = errors.New("store: invalid key file")
	// ErrExposedKeyFile says that users other than its owner may use a key file. See [ReadMountedKeyFile].
	ErrExposedKeyFile = errors.New("store: a key file that its group or others may use")
)

const (
	// keyFileHeader is the first line of a key file.
	keyFileHeader = "civicpin keys 1"
	// maxKeyFile bounds what is read of a key file, in bytes.
	maxKeyFile = 1 << 20
	// errKeyFileSize is about a file that is longer, or would be.
	errKeyFileSize = keyTextError("keys: over the limit of 1 MiB")
)

// A keyTextError says what is wrong with the text of a key file. It matches [ErrInvalidKeyFile].
type keyTextError string

func (e keyTextError) Error() string        { return "store: " + string(e) }
func (e keyTextError) Is(target error) bool { return target == ErrInvalidKeyFile }

// A keyFileExistsError is the path of a file that CreateKeyFile does not replace. It matches [fs.ErrExist].
type keyFileExistsError string

func (e keyFileExistsError) Error() string        { return string(e) + " exists: read it with ReadKeyFile" }
func (e keyFileExistsError) Is(target error) bool { return target == fs.ErrExist }

// CreateKeyFile writes a file with new random keys, readable by its owner only, and returns the keys. When it returns, the file
// and its name are on the disk. If the file exists, CreateKeyFile changes nothing, and the error matches [fs.ErrExist].
//
// CreateKeyFile writes path with a random ending and ".new" first: path names a whole file or none, also after a crash. A crash
// may leave the other file: remove it. Only on a file system without hard links does CreateKeyFile write path in place. A crash
// may then leave a part of the file, which [ReadKeyFile] refuses.
func CreateKeyFile(path string) (Keys, error) {
	text := fmt.Sprintf("%s\nindex %s\nseal k1 %s\n", keyFileHeader, newKey(), newKey())
	keys, err := ParseKeys(text)
	if err != nil {
		return Keys{}, err
	}
	if err := createFile(path, text, os.Link); err != nil {
		return Keys{}, fmt.Errorf("store: create key file: %w", err)
	}
	if err := syncDir(filepath.Dir(path)); err != nil {
		return Keys{}, errors.Join(fmt.Errorf("store: create key file: %w", err), os.Remove(path))
	}
	return keys, nil
}

// createFile writes a file that does not exist yet, as a whole. The function link gives a file a second name, and gives
// fs.ErrExist if that name exists.
func createFile(path, text string, link func(from, to string) error) error {
	temporary := path + "." + rand.Text()[:8] + ".new"
	if err := writeNew(temporary, text, 0o600); err != nil {
		return err
	}
	err := link(temporary, path)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		err = writeNew(path, text, 0o600) // the file system has no hard links, or this call tells why nothing can be written
	}
	if errors.Is(err, fs.ErrExist) {
		err = keyFileExistsError(path) // the caller knows nothing of the other name
	}
	if err != nil {
		return errors.Join(err, os.Remove(temporary))
	}
	if err := os.Remove(temporary); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

// writeNew writes a file that is not there yet to the disk.
func writeNew(path, text string, mode fs.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

// syncDir writes the names in a folder to the disk.
func syncDir(path string) error {
	if runtime.GOOS == "windows" {
		return nil // no folder can be opened there
	}
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func newKey() string {
	key := make([]byte, chacha20poly1305.KeySize)
	_, _ = rand.Read(key)
	return base64.RawStdEncoding.EncodeToString(key)
}

// ReadKeyFile reads a file as [ParseKeys] describes it. Errors, besides those of the file system:
//   - [ErrExposedKeyFile]: its group or others have any right to the file. On Windows the rights are not looked at.
//   - [ErrInvalidKeyFile]: the text is not that of a key file.
func ReadKeyFile(path string) (Keys, error) { return readKeys(path, true) }

// ReadMountedKeyFile is [ReadKeyFile] without a look at the file's rights: for a secret that an orchestrator mounts, and whose
// rights the program does not decide. Errors are those of [ParseKeys] and of the file system.
func ReadMountedKeyFile(path string) (Keys, error) { return readKeys(path, false) }

func readKeys(path string, private bool) (Keys, error) {
	text, _, err := readKeyText(path, private)
	if err != nil {
		return Keys{}, err
	}
	keys, err := ParseKeys(text)
	if err != nil {
		return Keys{}, fmt.Errorf("%w: %s", err, path)
	}
	return keys, nil
}

// readKeyText returns what is in a file, and what the file is. The rights are those of the file that was opened.
func readKeyText(path string, private bool) (string, fs.FileInfo, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", nil, fmt.Errorf("store: read key file: %w", err)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return "", nil, fmt.Errorf("store: read key file: %w", err)
	}
	if private && runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return "", nil, fmt.Errorf("%w: %s has mode %#o: chmod 600, or ReadMountedKeyFile for a mounted secret",
			ErrExposedKeyFile, path, info.Mode().Perm())
	}
	text, err := io.ReadAll(io.LimitReader(f, maxKeyFile+1))
	if err != nil {
		return "", nil, fmt.Errorf("store: read key file: %w", err)
	}
	if len(text) > maxKeyFile {
		return "", nil, errKeyFileSize
	}
	return string(text), info, nil
}
