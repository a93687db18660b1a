//! A caching client in place of reqwest's, and a middleware for those who have a client.
