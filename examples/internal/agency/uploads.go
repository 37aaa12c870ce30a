package agency

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"net/http"
	"sync"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/recovery"
)

// Uploads is where a portal keeps the documents that citizens send: the library never sees the files, only what is said of
// them here. It forgets all when there are very many, which bounds what visitors can make it keep.
type Uploads struct {
	mu    sync.Mutex
	files map[string]upload
}

// manyUploads are very many: each may have a megabyte.
const manyUploads = 100

type upload struct {
	owner   civicpin.Subject
	content []byte
}

var _ recovery.DocumentStore = (*Uploads)(nil)

// Add keeps a file, and returns the reference under which it is found.
func (u *Uploads) Add(owner civicpin.Subject, content []byte) string {
	u.mu.Lock()
	defer u.mu.Unlock()
	ref := rand.Text() // nobody guesses it, and it says nothing about whose it is
	if u.files == nil || len(u.files) >= manyUploads {
		u.files = make(map[string]upload)
	}
	u.files[ref] = upload{owner, bytes.Clone(content)}
	return ref
}

// Open returns a file, for the operator who looks at it.
func (u *Uploads) Open(ref string) (content []byte, ok bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	f, ok := u.files[ref]
	return bytes.Clone(f.content), ok
}

// Describe implements [recovery.DocumentStore]. The type is what the first bytes say, whatever the file's name is; somebody
// else's file is not there.
func (u *Uploads) Describe(_ context.Context, subject civicpin.Subject, ref string) (recovery.Document, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	f, ok := u.files[ref]
	if !ok || f.owner != subject {
		return recovery.Document{}, fmt.Errorf("%w: no such upload", civicpin.ErrInvalid)
	}
	return recovery.Document{
		Type: http.DetectContentType(f.content), Size: int64(len(f.content)), Clean: clean(f.content),
		Digest: fmt.Sprintf("%x", sha256.Sum256(f.content)),
	}, nil
}

// clean stands for the scanner that a portal has: it knows the one virus that was made to be found.
func clean(content []byte) bool {
	return !bytes.Contains(content, []byte("EICAR-STANDARD-ANTIVIRUS-TEST-FILE"))
}
