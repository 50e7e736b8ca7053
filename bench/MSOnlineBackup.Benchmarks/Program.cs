using System.Globalization;
using BenchmarkDotNet.Running;
using MSOnlineBackup.Benchmarks;

// For example: dotnet run -c Release --project bench/MSOnlineBackup.Benchmarks -- --filter '*Codec*'
// The other forms are parts of bench/blob.sh, bench/great.sh and bench/history.sh.
switch (args)
{
    case ["grow", var vault, var folder, var points]:
        await History.GrowAsync(vault, folder, int.Parse(points, CultureInfo.InvariantCulture));
        break;
    case ["fill", var vault, var chunks]:
        await GreatVault.FillAsync(vault, int.Parse(chunks, CultureInfo.InvariantCulture));
        break;
    case ["delay", var server, var milliseconds]:
        await DistantServer.RunAsync(new Uri(server), TimeSpan.FromMilliseconds(double.Parse(milliseconds, CultureInfo.InvariantCulture)));
        break;
    case ["upload", var folder, var container]:
        Print(await PlainTransfer.UploadAsync(folder, container));
        break;
    case ["download", var container]:
        Print(await PlainTransfer.DownloadAsync(container));
        break;
    default:
        BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
        break;
}

static void Print(TimeSpan time) => Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:F2}"));
