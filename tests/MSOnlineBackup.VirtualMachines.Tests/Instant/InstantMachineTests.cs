using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using MSOnlineBackup.Engine.Backup;
using MSOnlineBackup.Testing;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.Vaults.Layout;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.VirtualMachines.Backups;
using MSOnlineBackup.VirtualMachines.Images;
using MSOnlineBackup.VirtualMachines.Instant;
using MSOnlineBackup.VirtualMachines.Machines;
using MSOnlineBackup.VirtualMachines.Qmp;
using MSOnlineBackup.VirtualMachines.Tests.Qemu;
using Xunit;

namespace MSOnlineBackup.VirtualMachines.Tests.Instant;

/// <summary>Machines under a real QEMU that run from recovery points. Their guests' reads and writes are made by QEMU's own qemu-io, through the devices of the guest.</summary>
public sealed class InstantMachineTests : IAsyncDisposable
{
    private const int Size = 48 << 20;
    private const string Passphrase = "a passphrase for tests";

    private readonly TempFolder _folder = new();
    private readonly MemoryVaultStore _store = new(TimeProvider.System);
    private readonly VaultOptions _options = new() { KeyDerivationIterations = 1000 };
    private readonly byte[] _first = new byte[Size];
    private readonly byte[] _second = new byte[Size];
    private readonly List<BackupException> _reported = [];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string Machine => _folder["vm"];

    public async ValueTask DisposeAsync()
    {
        if (File.Exists(Path.Combine(Machine, "qemu.pid")))
        {
            await QuitAsync();
        }

        _folder.Dispose();
    }

    [Fact]
    public async Task It_runs_from_the_point_at_once_and_in_the_end_without_it()
    {
        await BackUpAsync();
        UnlockedVault vault = await UnlockAsync();
        await using (InstantMachine machine = await StartAsync(vault, Request() with { MostBytesPerSecond = 1 << 20 }))
        {
            Assert.False(machine.RanAlready);
            await AssertReadsAsync("drive0", 0x11, 3 << 20, 65536);
            await AssertReadsAsync("drive1", 0x22, 40 << 20, 4096);
            await AssertReadsAsync("drive0", 0, 20 << 20, 65536);
            await WriteAsync("drive0", 0x77, (3 << 20) + 512, 1024);
            _first.AsSpan((3 << 20) + 512, 1024).Fill(0x77);
            Assert.Equal(["vda", "vdb"], machine.Record.Disks.Select(disk => disk.Name));

            // The second disk was read-only, and is.
            Assert.Contains("read-only", await GuestAsync("drive1", "write -P 5 0 512"), StringComparison.Ordinal);
        }

        // Whoever saw to it is gone before the disks were in: another goes on, and the machine has run meanwhile.
        await using (InstantMachine again = await StartAsync(vault, Request()))
        {
            Assert.True(again.RanAlready);
            var seen = new List<InstantProgress>();
            await again.StreamAsync(seen.Add, Stop);
            Assert.Equal(new InstantProgress(2L * Size, 2L * Size, false), seen[^1]);
        }

        Assert.Empty(_reported);
        Assert.True(InstantMachine.Find(Machine)!.IsWhole);
        Assert.Empty(Directory.GetFiles(Machine, "disk*.sock"));
        await AssertReadsAsync("drive0", 0x77, (3 << 20) + 512, 1024);
        await WriteAsync("drive0", 0x66, 30 << 20, 4096);
        _first.AsSpan(30 << 20, 4096).Fill(0x66);
        await QuitAsync();
        await AssertDisksAsync();

        // It starts without a vault, and by its script.
        await using (InstantMachine whole = await InstantMachine.StartWholeAsync(Request(), Stop))
        {
            await AssertReadsAsync("drive0", 0x66, 30 << 20, 4096);
            await whole.StreamAsync(static _ => { }, Stop);
        }

        await QuitAsync();
        File.Move(Path.Combine(Machine, "vdb.qcow2"), _folder["elsewhere"]);
        Assert.Contains("is gone", (await Assert.ThrowsAsync<BackupException>(() => InstantMachine.StartWholeAsync(Request(), Stop))).Message, StringComparison.Ordinal);
        File.Move(_folder["elsewhere"], Path.Combine(Machine, "vdb.qcow2"));
        Shell.RunChecked("/bin/sh", Path.Combine(Machine, "start.sh"));
        await AssertReadsAsync("drive1", 0x22, 40 << 20, 4096);
    }

    [Fact]
    public async Task What_it_reads_waits_where_the_server_is_gone_and_it_goes_on_with_the_next()
    {
        await BackUpAsync();
        UnlockedVault vault = await UnlockAsync();
        await using (await StartAsync(vault, Request()))
        {
            await WriteAsync("drive0", 0x77, 10 << 20, 65536);
            _first.AsSpan(10 << 20, 65536).Fill(0x77);
        }

        // Nobody serves: the read is under way when the next one comes.
        Task<string> reading = GuestAsync("drive0", "read -P 0x11 4M 64k");
        await using (InstantMachine again = await StartAsync(vault, Request()))
        {
            Assert.DoesNotContain("failed", await reading, StringComparison.Ordinal);
            await again.StreamAsync(static _ => { }, Stop);
        }

        await QuitAsync();
        await AssertDisksAsync();
    }

    [Fact]
    public async Task A_machine_that_is_switched_off_before_it_has_all_keeps_what_it_wrote_and_is_started_again()
    {
        await BackUpAsync();
        UnlockedVault vault = await UnlockAsync();
        await using (InstantMachine machine = await StartAsync(vault, Request() with { MostBytesPerSecond = 1 << 20 }))
        {
            await WriteAsync("drive0", 0x77, 10 << 20, 65536);
            _first.AsSpan(10 << 20, 65536).Fill(0x77);
            Task streaming = machine.StreamAsync(static _ => { }, Stop);
            await Task.Delay(50, Stop);
            await QuitAsync();
            BackupException ended = await Assert.ThrowsAsync<BackupException>(() => streaming);
            Assert.Equal(BackupErrorId.InstantMachineEnded, ended.Id);
        }

        // Its folder may have another name by then.
        Directory.Move(Machine, _folder["vm2"]);
        Directory.Move(_folder["vm2"], Machine);
        await using (InstantMachine again = await StartAsync(vault, Request()))
        {
            Assert.False(again.RanAlready);
            await AssertReadsAsync("drive0", 0x77, 10 << 20, 65536);
            await again.StreamAsync(static _ => { }, Stop);
        }

        await QuitAsync();
        await AssertDisksAsync();
    }

    [Fact]
    public async Task Where_the_vault_is_damaged_it_stands_still_and_all_else_comes_in()
    {
        await BackUpAsync();
        string pack = _store.Names.MaxBy(name => _store.GetContent(name).Length)!;
        byte[] right = _store.GetContent(pack);
        _store.FlipBit(pack, right.Length / 2);
        UnlockedVault vault = await UnlockAsync();
        await using (InstantMachine machine = await StartAsync(vault, Request()))
        {
            BackupException incomplete = await Assert.ThrowsAsync<BackupException>(() => machine.StreamAsync(static _ => { }, Stop));
            Assert.Equal(BackupErrorId.InstantDiskIncomplete, incomplete.Id);
            Assert.Contains("vm1/disks/vd", incomplete.Message, StringComparison.Ordinal);
            Assert.Contains(_reported, failure => failure.Id == BackupErrorId.VaultDataCorrupt);
            InstantProgress reached = machine.Progress;
            Assert.InRange(reached.Bytes, Size, reached.TotalBytes);
        }

        // What is right comes in when the vault has it again.
        _store.SetContent(pack, right);
        await using (InstantMachine again = await StartAsync(await UnlockAsync(), Request()))
        {
            await again.StreamAsync(static _ => { }, Stop);
        }

        await QuitAsync();
        await AssertDisksAsync();
    }

    [Fact]
    public async Task A_folder_with_something_else_a_point_of_no_machine_and_a_second_process_are_refused()
    {
        await BackUpAsync();
        UnlockedVault vault = await UnlockAsync();
        Directory.CreateDirectory(Machine);
        await File.WriteAllTextAsync(Path.Combine(Machine, "letter.txt"), "dear", Stop);
        Assert.Equal(BackupErrorId.RestoreTargetInvalid, (await Assert.ThrowsAsync<BackupException>(() => StartAsync(vault, Request()))).Id);
        Assert.Equal(["letter.txt"], Directory.GetFileSystemEntries(Machine).Select(Path.GetFileName));
        File.Delete(Path.Combine(Machine, "letter.txt"));

        BackupException refused = await Assert.ThrowsAsync<BackupException>(() => StartAsync(vault, Request() with { QemuOptions = ["nosuchoption 1"] }));
        Assert.Equal(BackupErrorId.VirtualMachineProgramUnusable, refused.Id);
        Assert.Contains("nosuchoption", refused.Message, StringComparison.Ordinal);

        // What was refused can be put right in the same folder.
        await using InstantMachine machine = await StartAsync(vault, Request() with { Program = new InstantRequest { Folder = "", Name = "" }.Program, QemuOptions = ["S"] });
        Assert.Equal(Path.Combine(Machine, "vnc.sock"), machine.Screen);
        Assert.Equal(BackupErrorId.VirtualMachineBusy, (await Assert.ThrowsAsync<BackupException>(() => StartAsync(vault, Request()))).Id);
        BackupException other = await Assert.ThrowsAsync<BackupException>(() => InstantMachine.StartAsync(vault, _ => throw new InvalidOperationException(), Request() with { Folder = "/" + new string('x', 200) }, Stop));
        Assert.Equal(BackupErrorId.VirtualMachineUnfit, other.Id);
    }

    [Theory]
    [InlineData(DiskBus.Virtio, 32)]
    [InlineData(DiskBus.Scsi, 9)]
    [InlineData(DiskBus.Sata, 9)]
    public async Task It_has_all_of_its_disks_by_their_serial_numbers_whatever_they_are_connected_to(DiskBus bus, int count)
    {
        Assert.SkipWhen(TestMachine.Missing is not null, TestMachine.Missing ?? "");
        InstantDisk[] disks = [.. Enumerable.Range(0, count).Select(index => new InstantDisk($"d{index}", "", $"d{index}.qcow2", 1 << 20, $"S,{index}", IsReadOnly: index == 1))];
        using (InstantFolder folder = InstantFolder.Hold(Machine))
        {
            folder.Write(new InstantRecord(InstantRecord.Current, "vm1", "vm1", "", disks, IsWhole: true));
            Shell.RunChecked("qemu-img", "create", "-q", "-f", "qcow2", _folder["empty"], "1M");
            Array.ForEach(disks, disk => File.Copy(_folder["empty"], folder.ImageOf(disk)));
        }

        await using (await InstantMachine.StartWholeAsync(Request() with { Name = "a, b", Bus = bus }, Stop))
        {
            await using QmpClient monitor = await QmpClient.ConnectAsync(Path.Combine(Machine, "qmp.sock"), TimeSpan.FromSeconds(30), Stop);
            Assert.Equal("a, b", (await monitor.ExecuteAsync("query-name", null, Stop)).Text("name"));
            foreach (int index in new[] { 0, count - 1 })
            {
                JsonElement serial = await monitor.ExecuteAsync("qom-get", new JsonObject { ["path"] = $"/machine/peripheral/drive{index}", ["property"] = "serial" }, Stop);
                Assert.Equal($"S,{index}", serial.GetString());
            }
        }
    }

    [Theory]
    [InlineData(20L << 30, 64 << 10)]
    [InlineData(2L << 40, 512 << 10)]
    [InlineData(32L << 40, 2 << 20)]
    public void The_tables_of_a_large_disk_stay_small(long bytes, long cluster) => Assert.Equal(cluster, FreshImage.ClusterOf(bytes));

    private InstantRequest Request() => new()
    {
        Folder = Machine,
        Name = "vm1-now",
        MemoryBytes = 16 << 20,
        QemuOptions = ["S", "display none"],
        Program = Program(),
        Report = failure =>
        {
            lock (_reported)
            {
                _reported.Add(failure);
            }
        },
    };

    private static Task<InstantMachine> StartAsync(UnlockedVault vault, InstantRequest request) =>
        InstantMachine.StartAsync(vault, known => vault.GetPointAsync(known ?? "latest", null, Stop), request, Stop);

    private async Task BackUpAsync()
    {
        Assert.SkipWhen(TestMachine.Missing is not null, TestMachine.Missing ?? "");
        new Random(1).NextBytes(_first.AsSpan(12 << 20, 4 << 20));
        _first.AsSpan(3 << 20, 2 << 20).Fill(0x11);
        new Random(2).NextBytes(_second.AsSpan(1 << 20, 3 << 20));
        _second.AsSpan(40 << 20, 4096).Fill(0x22);
        await File.WriteAllBytesAsync(_folder["vda.raw"], _first, Stop);
        await File.WriteAllBytesAsync(_folder["vdb.raw"], _second, Stop);
        await Vault.CreateAsync(_store, Passphrase, _options, Stop, new KeptOwner().Keep);
        var machine = new ReadOnlyDisks(new OfflineMachine("vm1", [new MachineImage("vda", _folder["vda.raw"], "raw"), new MachineImage("vdb", _folder["vdb.raw"], "raw")]), "vdb");
        await MachineBackup.RunAsync(
            await UnlockAsync(), machine, new MachineBackupRequest { Backup = new BackupRequest { MachineName = "vm1", Sources = [] }, Moment = new MomentOptions { WorkFolder = _folder.Path } }, new JobMonitor(), Stop);
        File.Delete(_folder["vda.raw"]);
        File.Delete(_folder["vdb.raw"]);
    }

    private Task<UnlockedVault> UnlockAsync() => TestVault.UnlockAsync(_store, Passphrase, _options, Stop);

    private async Task AssertDisksAsync()
    {
        foreach ((string image, byte[] expected) in new[] { ("vda.qcow2", _first), ("vdb.qcow2", _second) })
        {
            string path = Path.Combine(Machine, image);
            Assert.DoesNotContain("backing", Shell.RunChecked("qemu-img", "info", path), StringComparison.Ordinal);
            Shell.RunChecked("qemu-img", "check", "-q", path);
            Shell.RunChecked("qemu-img", "convert", "-O", "raw", path, _folder["copy"]);
            byte[] copy = await File.ReadAllBytesAsync(_folder["copy"], Stop);
            Assert.True(expected.AsSpan().SequenceEqual(copy), image);
        }
    }

    private async Task AssertReadsAsync(string device, byte pattern, long offset, long length)
    {
        string said = await GuestAsync(device, $"read -P {pattern} {offset} {length}");
        Assert.True(!said.Contains("verification failed", StringComparison.Ordinal) && said.Contains($"read {length}/{length}", StringComparison.Ordinal), said);
    }

    private async Task WriteAsync(string device, byte pattern, long offset, long length) =>
        Assert.Contains($"wrote {length}/{length}", await GuestAsync(device, $"write -P {pattern} {offset} {length}"), StringComparison.Ordinal);

    // What qemu-io says goes to the standard output of QEMU, a file.
    private async Task<string> GuestAsync(string device, string command)
    {
        long before = new FileInfo(_folder["out"]).Length;
        await using QmpClient monitor = await QmpClient.ConnectAsync(Path.Combine(Machine, "qmp.sock"), TimeSpan.FromSeconds(30), Stop);
        IEnumerable<string> devices = ((JsonElement?)await monitor.ExecuteAsync("query-block", null, Stop)).Elements().Select(block => block.Text("qdev")).OfType<string>();
        string path = devices.Single(one => one.Split('/').Contains(device));
        JsonElement refused = await monitor.ExecuteAsync("human-monitor-command", new JsonObject { ["command-line"] = $"qemu-io -d {path} \"{command}\"" }, Stop);
        using var output = new FileStream(_folder["out"], FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        output.Position = before;
        string said = await new StreamReader(output).ReadToEndAsync(Stop) + refused.GetString();
        TestContext.Current.TestOutputHelper?.WriteLine($"{device} {command}: {said}");
        return said;
    }

    // QEMU as it is, but for that it keeps its standard output.
    private string Program()
    {
        File.WriteAllText(_folder["qemu.sh"], $$"""
            #!/bin/bash
            args=()
            for arg in "$@"; do [ "$arg" = -daemonize ] || args+=("$arg"); done
            rm -f '{{Machine}}/qmp.sock'
            stdbuf -oL qemu-system-x86_64 "${args[@]}" >> '{{_folder["out"]}}' 2> '{{_folder["err"]}}' < /dev/null &
            until [ -S '{{Machine}}/qmp.sock' ]; do
                kill -0 $! 2> /dev/null || { cat '{{_folder["err"]}}' >&2; exit 1; }
                sleep 0.01
            done
            """);
        Shell.RunChecked("chmod", "755", _folder["qemu.sh"]);
        return _folder["qemu.sh"];
    }

    private async Task QuitAsync()
    {
        int process = int.Parse(await File.ReadAllTextAsync(Path.Combine(Machine, "qemu.pid"), Stop), CultureInfo.InvariantCulture);
        try
        {
            await using QmpClient monitor = await QmpClient.ConnectAsync(Path.Combine(Machine, "qmp.sock"), TimeSpan.FromSeconds(30), Stop);
            await monitor.ExecuteAsync("quit", null, Stop);
        }
        catch (BackupException)
        {
            // It has gone already.
        }

        while (Directory.Exists($"/proc/{process}"))
        {
            await Task.Delay(5, Stop);
        }
    }

    private sealed class ReadOnlyDisks(IVirtualMachine inner, string name) : IVirtualMachine
    {
        public string Name => inner.Name;

        public string? Uuid => inner.Uuid;

        public string Hypervisor => inner.Hypervisor;

        public async Task<IReadOnlyList<MachineDisk>> ListDisksAsync(CancellationToken cancellationToken) =>
            [.. (await inner.ListDisksAsync(cancellationToken)).Select(disk => disk with { IsReadOnly = disk.Name == name })];

        public async Task<IMachineMoment> BeginAsync(IReadOnlyList<MachineDisk> disks, MomentOptions options, CancellationToken cancellationToken) => await inner.BeginAsync(disks, options, cancellationToken);

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
