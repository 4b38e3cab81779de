#include "../support/rpm_check.h"
#include "base/base.h"
int main(void) { return 0; }
