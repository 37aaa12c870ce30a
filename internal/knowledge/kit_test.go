package knowledge_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"github.com/civicpin/civicpin"
	"github.com/civicpin/civicpin/internal/knowledge"
)

const rosa civicpin.Subject = "1712345678"

// keyed returns a hash as a vault's: hmac-sha256 of purpose and parts, each with its length before it.
func keyed(key string) func(purpose string, parts ...string) [32]byte {
	return func(purpose string, parts ...string) (sum [32]byte) {
		h := hmac.New(sha256.New, []byte(key))
		for _, part := range append([]string{purpose}, parts...) {
			h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
			h.Write([]byte(part))
		}
		h.Sum(sum[:0])
		return sum
	}
}

// catalogue is one of so many questions and images, of which four questions are enrolled as a rule.
func catalogue(questions, images int) *knowledge.Catalogue {
	return &knowledge.Catalogue{Questions: named("q", questions), Images: named("i", images), Usual: 4, Hash: keyed("key")}
}

// named returns n names, "q01" and on.
func named(prefix string, n int) []string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf("%s%02d", prefix, i+1))
	}
	return list
}

// enrolled is knowledge of an image, empty for none, and questions.
func enrolled(image string, questions ...string) *knowledge.Knowledge {
	k := &knowledge.Knowledge{Image: image}
	for _, q := range questions {
		k.Questions = append(k.Questions, knowledge.Answer{Question: q, Form: 1, Hash: "$hash$" + q})
	}
	return k
}

// subjects are different people.
func subjects(n int) []civicpin.Subject {
	var list []civicpin.Subject
	for i := range n {
		list = append(list, civicpin.Subject(fmt.Sprintf("subject-%03d", i)))
	}
	return list
}
