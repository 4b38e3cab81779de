/* The program: a table of commands (cmd/commands.c) and nothing else. */
#include "cmd/commands.h"

int main(int argc, char **argv)
{
	return commands_run(argc, argv);
}
