// Package redis tests store/redisstore where several processes share a server, and the server is killed.
package redis
