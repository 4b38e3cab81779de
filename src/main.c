/* The command table comes here. */
#include "base/base.h"

int main(void)
{
	return 2;
}
