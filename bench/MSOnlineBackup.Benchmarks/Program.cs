using BenchmarkDotNet.Running;

// For example: dotnet run -c Release --project bench/MSOnlineBackup.Benchmarks -- --filter '*Codec*'
BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
