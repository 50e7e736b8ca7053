using Xunit.v3;

// Most of them wait for other programs most of the time.
[assembly: Parallelization(MaxThreads = 3)]
