using System.CommandLine;
using MSOnlineBackup.Host.Documents;
using MSOnlineBackup.Host.Terminal;
using MSOnlineBackup.Vaults;
using MSOnlineBackup.Vaults.RecoveryPoints;
using MSOnlineBackup.Vaults.Registers;

namespace MSOnlineBackup.Host.Commands;

/// <summary><c>cat</c>.</summary>
internal sealed class CatCommand : HostCommand
{
    private readonly PointSelection _point;
    private readonly Argument<string> _path;
    private readonly VaultSelection _vault;
    private readonly Option<string?> _offset;
    private readonly Option<string?> _length;

    public CatCommand()
        : base("cat", "Write a file of a recovery point to standard output.", "obengine cat latest /home/anna/notes.txt --vault /mnt/backup")
    {
        _point = new PointSelection(this);
        _path = Required("PATH", "The full path of the file, as it was backed up.");
        _vault = new VaultSelection(this);
        _offset = Value("--offset", "SIZE", "Where in the file to begin, in bytes or with a unit: K, M, G, T (binary). Default: at its beginning.");
        _length = Value("--length", "SIZE", "How many bytes at most. Default: all.");
    }

    public override bool WritesBytes => true;

    public override async Task<Outcome> RunAsync(CommandContext context)
    {
        long offset = context.Get(_offset) is { } from ? SelectionOptions.ParseSize(context, from) : 0;
        long length = context.Get(_length) is { } count ? SelectionOptions.ParseSize(context, count) : long.MaxValue;
        string path = context.Get(_path);
        using UnlockedVault vault = await _vault.UnlockAsync(context, VaultUse.Read).ConfigureAwait(false);
        RecoveryPoint point = await _point.GetAsync(context, vault).ConfigureAwait(false);
        IndexedVault index = await vault.IndexAsync(context.Stop).ConfigureAwait(false);
        RecoverableItem item = await index.ListItemsAsync(point, path, recursive: true, context.Stop).FirstAsync(context.Stop).ConfigureAwait(false);
        if (item.Entry.Flags.HasFlag(EntryFlags.ChangedWhileRead))
        {
            context.Renderer.Note($"'{item.FullPath}' was changed while it was backed up: its content may mix two states.");
        }

        HostEnvironment environment = context.Environment;
        long written = 0;
        await foreach (ReadOnlyMemory<byte> bytes in index.ReadAsync(item, offset, length, context.Stop).ConfigureAwait(false))
        {
            // Whoever has seen enough has gone, and is not bothered; that the disk is full is told at the end.
            if (environment.OutputIsUnread())
            {
                break;
            }

            environment.OutputBytes.Write(bytes.Span);
            if (environment.OutputFault() is not null)
            {
                break;
            }

            written += bytes.Length;
        }

        ExitCode code = environment.OutputFault() is null ? ExitCode.Success : ExitCode.Failed;
        return new Outcome(new CatSummary(point.SessionId.ToString(), item.FullPath, written) { ExitCode = (int)code }, "");
    }
}
