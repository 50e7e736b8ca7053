using MSOnlineBackup.Engine.Sources.SystemState;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults.Errors;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Sources;

public sealed class LinuxSystemStateTests : IDisposable
{
    private readonly TempFolder _folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Only_what_is_there_is_named_in_a_stable_order()
    {
        new SourceTreeBuilder(_folder["root"]).Describe(
            """
            f boot/config-6.2 1
            f boot/config-6.1 1
            f boot/vmlinuz-6.1 1
            f boot/grub/grub.cfg 1
            f etc/passwd 1
            d var/spool/cron
            d home
            """);

        IReadOnlyList<string> files = new LinuxSystemState(new Programs(), _folder["root"]).FindFiles();

        Assert.Equal(
            ["/etc", "/var/spool/cron", "/boot/grub/grub.cfg", "/boot/config-6.1", "/boot/config-6.2"],
            files.Select(file => file[_folder["root"].Length..]));
    }

    [Fact]
    public async Task Descriptions_are_what_programs_print_and_the_index_says_what_could_not_be_made()
    {
        var programs = new Programs
        {
            ["dpkg-query"] = new CommandResult(0, "bash\t5.2\tii\n", ""),
            ["vgs"] = new CommandResult(5, "half", "No permission\nat all\n"),
            ["lsblk"] = new CommandResult(0, "/dev/sda disk\n/dev/sr0 rom\n/dev/cciss/c0d0 disk\n", ""),
            ["sfdisk"] = new CommandResult(0, "label: gpt\n", ""),
        };
        string folder = _folder["described"];
        new SourceTreeBuilder(folder).Describe("f stale.txt 1");

        await new LinuxSystemState(programs, _folder.Path).DescribeAsync(folder, Cancel);

        Assert.Equal(
            ["block-devices.json", "index.txt", "packages-dpkg.txt", "partitions-cciss-c0d0.sfdisk", "partitions-sda.sfdisk"],
            Directory.GetFiles(folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Equal("bash\t5.2\tii\n", await File.ReadAllTextAsync(folder + "/packages-dpkg.txt", Cancel));
        string[] index = await File.ReadAllLinesAsync(folder + "/index.txt", Cancel);
        Assert.Contains(
            index,
            line => line.StartsWith("packages-dpkg.txt\tdpkg-query --show", StringComparison.Ordinal) && line.EndsWith("\tmade", StringComparison.Ordinal));
        Assert.Contains(index, line => line.StartsWith("volume-groups.txt\t", StringComparison.Ordinal) && line.EndsWith("failed with status 5: No permission at all", StringComparison.Ordinal));
        Assert.Contains(
            index, line => line.StartsWith("packages-rpm.txt\t", StringComparison.Ordinal) && line.EndsWith("\tnot installed", StringComparison.Ordinal));
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(folder));
        }
    }

    [Fact]
    public async Task Programs_of_the_machine_are_run_and_absent_ones_are_told_apart_from_failing_ones()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Runs programs of Unix.");
        var commands = new SystemCommands();

        Assert.Equal(new CommandResult(3, "out\n", "err\n"), await commands.RunAsync("sh", ["-c", "echo out; echo err >&2; exit 3"], Cancel));
        Assert.Equal(Shell.RunChecked("uname", "-s"), (await commands.RunAsync("uname", ["-s"], Cancel))!.Output);
        Assert.Null(await commands.RunAsync("no-such-program-at-all", [], Cancel));
    }

    [Fact]
    public void Other_systems_are_refused_by_name()
    {
        Assert.SkipWhen(OperatingSystem.IsLinux(), "This is the system that has it.");
        Assert.Equal(BackupErrorId.NotAvailable, Assert.Throws<BackupException>(SystemStates.Open).Id);
    }

    private sealed class Programs : Dictionary<string, CommandResult>, ISystemCommands
    {
        public Task<CommandResult?> RunAsync(string program, IReadOnlyList<string> arguments, CancellationToken cancellationToken) =>
            Task.FromResult(this.GetValueOrDefault(program));
    }
}
