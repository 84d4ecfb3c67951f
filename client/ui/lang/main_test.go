package lang

import (
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"parley/shared/servertest"
)

func TestMain(m *testing.M) {
	time.Local = time.UTC
	os.Exit(servertest.Main(m, goleak.IgnoreCurrent())) // Fyne's desktop driver has one goroutine from the start
}
