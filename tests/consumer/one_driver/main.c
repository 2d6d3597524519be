// A program that does nothing but end: what it links is what is looked at.
// SPDX-License-Identifier: MIT
int main(void)
{
    return 0;
}
