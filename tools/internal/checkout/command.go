package checkout

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// Command is the main function of a command: it runs the command in the working directory, with the arguments of the process,
// and exits with 1 if there is an error. The context ends when the process is asked to end.
func Command(name string, run func(ctx context.Context, dir string, args []string, out io.Writer) error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, ".", os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, name+":", err)
		os.Exit(1)
	}
}
