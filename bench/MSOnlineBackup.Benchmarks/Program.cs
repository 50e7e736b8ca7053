using System.Globalization;
using BenchmarkDotNet.Running;
using MSOnlineBackup.Benchmarks;

// For example: dotnet run -c Release --project bench/MSOnlineBackup.Benchmarks -- --filter '*Codec*'
// The other forms are parts of bench/blob.sh, bench/diff.sh, bench/fleet.sh, bench/great.sh, bench/history.sh, bench/prune.sh and bench/ssh.sh.
switch (args)
{
    case ["grow", var vault, var folder, var points]:
        await History.GrowAsync(vault, folder, int.Parse(points, CultureInfo.InvariantCulture));
        break;
    case ["fill", var vault, var chunks]:
        await GreatVault.FillAsync(vault, int.Parse(chunks, CultureInfo.InvariantCulture));
        break;
    case ["fleet", var vault, var machines, var points]:
        await Fleet.FillAsync(vault, int.Parse(machines, CultureInfo.InvariantCulture), int.Parse(points, CultureInfo.InvariantCulture));
        break;
    case ["churn", var folder, var files, var round]:
        await ChurnedFolder.WriteAsync(folder, int.Parse(files, CultureInfo.InvariantCulture), int.Parse(round, CultureInfo.InvariantCulture));
        break;
    case ["end", var vault]:
        await EndedPoint.DecideAsync(vault);
        break;
    case ["delay", var server, var milliseconds, .. var log]:
        await DistantServer.RunAsync(new Uri(server), TimeSpan.FromMilliseconds(double.Parse(milliseconds, CultureInfo.InvariantCulture)), log.FirstOrDefault());
        break;
    case ["upload", var folder, var container]:
        Print(await PlainTransfer.UploadAsync(folder, container));
        break;
    case ["download", var container]:
        Print(await PlainTransfer.DownloadAsync(container));
        break;
    case ["push", var objects, .. var server]:
        Print(await PipedTransfer.PushAsync(int.Parse(objects, CultureInfo.InvariantCulture), server));
        break;
    case ["pull", var objects, .. var server]:
        Print(await PipedTransfer.PullAsync(int.Parse(objects, CultureInfo.InvariantCulture), server));
        break;
    default:
        BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
        break;
}

static void Print(TimeSpan time) => Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:F2}"));
