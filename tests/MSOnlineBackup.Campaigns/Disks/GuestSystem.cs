using System.Diagnostics;
using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Campaigns.Disks;

/// <summary>The Debian system of tests/guest, which QEMU runs.</summary>
internal static class GuestSystem
{
    // What the scripts end with where there can be no guest.
    private const int Unavailable = 69;

    /// <summary>Builds the system, where guests are asked for.</summary>
    /// <param name="programs">What else is needed of the machine.</param>
    /// <returns>What is missing for it; null where it is there.</returns>
    public static async Task<string?> FindMissingAsync(params string[] programs)
    {
        if (!Campaign.IsFull && Environment.GetEnvironmentVariable("OB_GUEST") != "1")
        {
            return "Needs OB_GUEST=1 or OB_CAMPAIGN=full: it runs a virtual machine for minutes.";
        }

        string[] path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':');
        string[] absent = [.. programs.Where(program => !path.Any(folder => File.Exists(Path.Combine(folder, program))))];
        if (absent.Length > 0)
        {
            return $"Needs {string.Join(", ", absent)}.";
        }

        Run built = await RunAsync(Script("build.sh"));
        Assert.True(built.ExitCode is 0 or Unavailable, built.ToString());
        return built.ExitCode == Unavailable ? built.Error.Trim() : null;
    }

    /// <summary>A script of tests/guest.</summary>
    public static string Script(string name) => Path.Combine(Repository.Root, "tests", "guest", name);

    /// <summary>Runs a program to its end.</summary>
    public static async Task<Run> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        return await Obengine.FinishAsync(process);
    }
}
