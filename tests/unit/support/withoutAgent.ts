// Import this first: the configuration looks for an ssh-agent when it is loaded, and whether the
// machine of the tests has one must not matter.
delete process.env["SSH_AUTH_SOCK"];
