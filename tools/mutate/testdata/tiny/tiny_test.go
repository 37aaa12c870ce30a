package tiny

import "testing"

func TestHalf(t *testing.T) {
	if n, err := Half(8); n != 4 || err != nil {
		t.Error(n, err)
	}
	if _, err := Half(7); err == nil {
		t.Error("no error")
	}
}

func TestSmall(t *testing.T) {
	if !Small(3) || Small(30) {
		t.Error("wrong")
	}
}

func TestCount(t *testing.T) {
	if Count(3) != 3 {
		t.Error("wrong")
	}
}
