using System.CommandLine;
using System.Globalization;
using MSOnlineBackup.Host.Documents;
using MSOnlineBackup.Host.Rendering;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.Progress;
using MSOnlineBackup.Vaults.Registers;
using MSOnlineBackup.VirtualMachines.Instant;

namespace MSOnlineBackup.Host.Commands;

/// <summary><c>image start</c>.</summary>
internal sealed class ImageStartCommand : HostCommand
{
    private const long LeastMemory = 1 << 20;
    private const string Latest = "latest";

    private readonly PointSelection _point;
    private readonly Option<string> _to = new("--to") { HelpName = "DIR", Required = true, Description = "The folder of the machine, an empty or new one with a short path: what it writes goes there, and in the end all of its disks." };
    private readonly Option<string?> _as;
    private readonly Option<string?> _memory;
    private readonly Option<int?> _processors = new("--cpus") { HelpName = "N", Description = "How many processors it has. Default: 1." };
    private readonly Option<DiskBus> _bus;
    private readonly Option<string[]> _options;
    private readonly Option<string?> _program;
    private readonly Option<string?> _limit;
    private readonly VaultSelection _vault;

    public ImageStartCommand()
        : base(
            "start",
            "Run a virtual machine of a recovery point at once: what it reads comes from the vault, while its disks come in. When they are in, it needs no vault. The same command goes on where it was, whatever came between.",
            """
            obengine image start latest --machine vm1 --as vm1-now --to /srv/vm1-now --vault /mnt/backup
            obengine image start latest --machine vm1 --to /srv/vm1-now --memory 4G --cpus 2 --qemu-option "nic user,model=virtio-net-pci" --vault /mnt/backup
            """)
    {
        _point = new PointSelection(this);
        Add(_to);
        _as = Value("--as", "NAME", "What it is called. Default: the name of its folder.");
        _memory = Value("--memory", "SIZE", "How much memory it has, as 4G. Default: 2G.");
        _processors.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && !(int.TryParse(token.Value, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number > 0))
            {
                result.AddError($"'{token.Value}' is no number of processors.");
            }
        });
        Add(_processors);
        _bus = Choice("--bus", "What its disks are connected to: sata for guests that have no drivers for the others.", DiskBus.Virtio);
        _options = Values("--qemu-option", "TEXT", "An option of QEMU's and its value, without the dash: \"nic user,model=virtio-net-pci\". Without any, the machine has no network.");
        _program = Value("--qemu", "FILE", "QEMU. Default: qemu-system-x86_64.");
        _limit = Value("--disk-limit", "SIZE", "How much of each disk comes in within a second at most, as 50M. What the machine itself reads does not count. Default: as much as can be.");
        _vault = new VaultSelection(this);
    }

    public override string StopNote => "Stopping; the machine goes on, and stands still when it reads what is not in yet. The same command goes on then. Interrupt again to end at once.";

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        InstantRequest request = Request(context);
        if (InstantMachine.Find(request.Folder) is { IsWhole: true } whole)
        {
            return _point.Named(context) is var named && named != Latest && !whole.PointId.StartsWith(named, StringComparison.OrdinalIgnoreCase)
                ? throw context.Invalid($"'{request.Folder}' has the machine of another recovery point, {whole.PointId}.", "Name another folder.", request.Folder)
                : await RunWholeAsync(context, request).ConfigureAwait(false);
        }

        long began = context.Environment.Time.GetTimestamp();
        using UnlockedVault vault = await _vault.UnlockAsync(context, VaultUse.Read).ConfigureAwait(false);
        await using InstantMachine machine = await InstantMachine.StartAsync(
            vault,
            known => known is not null && _point.Named(context) == Latest
                ? PointSelection.GetAsync(context, vault, known, null, skipDamaged: false)
                : _point.GetAsync(context, vault),
            request,
            context.Stop).ConfigureAwait(false);
        Tell(context, machine, context.Environment.Time.GetElapsedTime(began));
        await context.Renderer.FollowAsync(() => Read(machine.Progress), async () =>
        {
            await machine.StreamAsync(static _ => { }, context.Stop).ConfigureAwait(false);
            return true;
        }).ConfigureAwait(false);
        return Describe(machine, request);
    }

    private static async Task<Outcome> RunWholeAsync(CommandContext context, InstantRequest request)
    {
        long began = context.Environment.Time.GetTimestamp();
        await using InstantMachine machine = await InstantMachine.StartWholeAsync(request, context.Stop).ConfigureAwait(false);
        Tell(context, machine, context.Environment.Time.GetElapsedTime(began));
        return Describe(machine, request);
    }

    private static void Tell(CommandContext context, InstantMachine machine, TimeSpan took) => context.Renderer.Item(
        new RunningMachineLine(machine.Record.Name, machine.Record.PointId, machine.RanAlready, took.TotalSeconds, machine.Monitor, machine.Screen),
        line => $"""
            The machine {line.Name} {(line.RanAlready ? "runs already" : $"runs, after {line.Seconds:0.0} s")}.
              monitor:  {line.Monitor} (QMP)
              screen:   {line.Screen ?? "as you have told QEMU"}{(line.Screen is null ? null : " (VNC: vncviewer FILE)")}
            """);

    private static JobProgress Read(InstantProgress progress) => new(
        JobPhase.Transferring, 0, 0, progress.Bytes, progress.Bytes, 0, 0, 0, null, progress.TotalBytes, progress.StandsStill ? "the machine stands still: a disk cannot be read or written" : null);

    private static Outcome Describe(InstantMachine machine, InstantRequest request)
    {
        InstantProgress progress = machine.Progress;
        return new Outcome(
            new InstantSummary(machine.Record.Name, machine.Record.PointId, request.Folder, machine.Record.Disks.Count, progress.TotalBytes, machine.Script),
            $"""
            The disks are in '{request.Folder}', and the machine needs the vault no more. It goes on.
            When it is off, '{machine.Script}' starts it.
            """);
    }

    private InstantRequest Request(CommandContext context)
    {
        string folder = Path.GetFullPath(context.Parsed.GetRequiredValue(_to));
        return new InstantRequest
        {
            Folder = folder,
            Name = context.Get(_as) ?? Path.GetFileName(folder.TrimEnd(Path.DirectorySeparatorChar)),
            MemoryBytes = Size(context, _memory, LeastMemory) ?? new InstantRequest { Folder = folder, Name = "" }.MemoryBytes,
            Processors = context.Parsed.GetValue(_processors) ?? 1,
            Bus = context.Parsed.GetValue(_bus),
            QemuOptions = context.Get(_options),
            Program = context.Get(_program) ?? new InstantRequest { Folder = folder, Name = "" }.Program,
            MostBytesPerSecond = Size(context, _limit, 1) ?? 0,
            Report = new ServedDamage(context.Renderer).Warn,
            Clock = context.Environment.Time,
        };
    }

    private static long? Size(CommandContext context, Option<string?> option, long least) => context.Get(option) is not { } text ? null
        : Quantity.TryParseSize(text, out long bytes) && bytes >= least ? bytes
        : throw context.Invalid($"'{text}' is not a size for {option.Name}.", "Write a number with a unit: 512M, 4G.", text);
}
