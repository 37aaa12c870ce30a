package servers

import (
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// clusterNodeTimeout is how long a node of a Redis cluster is unreachable before the others give its place to its replica.
const clusterNodeTimeout = 2 * time.Second

// RedisCluster starts a Redis cluster of six servers on which all slots are served: three primaries with a replica each. A
// primary that does not answer for two seconds is replaced by its replica.
func RedisCluster(tb testing.TB) []*RedisServer {
	tb.Helper()
	var nodes []*RedisServer
	args := []string{"--cluster", "create"}
	for range 6 {
		node := Redis(tb, "--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf",
			"--cluster-node-timeout", strconv.FormatInt(clusterNodeTimeout.Milliseconds(), 10),
			"--cluster-port", strconv.Itoa(FreePort(tb)), "--repl-diskless-sync-delay", "0")
		nodes = append(nodes, node)
		args = append(args, node.Addr())
	}
	args = append(args, "--cluster-replicas", "1", "--cluster-yes")
	if _, err := run(exec.CommandContext(tb.Context(), "redis-cli", args...)); err != nil {
		tb.Fatal(err)
	}
	for _, node := range nodes {
		if err := node.joined(tb.Context(), len(nodes)); err != nil {
			tb.Fatal(err)
		}
	}
	return nodes
}

// joined waits until a node knows that the cluster serves and who replicates whom, and has what its primary has.
func (r *RedisServer) joined(ctx context.Context, nodes int) error {
	var info, list, replication string
	for start := time.Now(); time.Since(start) < patience; time.Sleep(50 * time.Millisecond) {
		var err error
		if info, err = r.Do(ctx, "CLUSTER", "INFO"); err != nil {
			return err
		}
		if list, err = r.Do(ctx, "CLUSTER", "NODES"); err != nil {
			return err
		}
		if replication, err = r.Do(ctx, "INFO", "replication"); err != nil {
			return err
		}
		if strings.Contains(info, "cluster_state:ok") && strings.Count(list, "slave ") == nodes/2 &&
			(strings.Contains(replication, "role:master") || strings.Contains(replication, "master_link_status:up")) {
			return nil
		}
	}
	return fmt.Errorf("servers: the cluster does not serve after %v:\n%s\n%s\n%s", patience, info, list, replication)
}

// IsPrimary reports whether a server takes writes, by its own word.
func (r *RedisServer) IsPrimary(ctx context.Context) (bool, error) {
	out, err := r.Do(ctx, "ROLE")
	if err != nil {
		return false, err
	}
	role, _, _ := strings.Cut(out, "\n")
	return role == "master", nil
}
