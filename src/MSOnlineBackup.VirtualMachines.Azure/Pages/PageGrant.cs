using System.Text.Json;
using System.Text.Json.Nodes;
using MSOnlineBackup.Vaults.Errors;
using MSOnlineBackup.VirtualMachines.Azure.Management;

namespace MSOnlineBackup.VirtualMachines.Azure.Pages;

/// <summary>
/// That a disk, or a moment of one, is open to be read or written, by an address that is a secret and ends after a time. Whoever opened it closes it: <see cref="RevokeAsync"/>. Thread-safe.
/// </summary>
/// <param name="access">How Azure is reached.</param>
/// <param name="path">The address of what is opened, at the resource manager.</param>
/// <param name="canWrite">Whether it is to be written.</param>
internal sealed class PageGrant(AzureAccess access, string path, bool canWrite) : IDisposable
{
    private readonly ResourceManager _manager = new(access);
    private readonly SemaphoreSlim _gate = new(1, 1);
    private Uri? _address;

    /// <summary>What is opened.</summary>
    public string Path => path;

    /// <summary>The address under which it is open. It is opened where it is not.</summary>
    /// <param name="refused">An address of before that was refused: it is closed, and another one is got. Null for none.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="BackupException">As of <see cref="ResourceManager.GetAsync"/>.</exception>
    public async Task<Uri> OpenAsync(Uri? refused, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_address is { } open && (refused is null || open != refused))
            {
                return open;
            }

            if (_address is not null)
            {
                await CloseAsync(cancellationToken).ConfigureAwait(false);
            }

            var body = new JsonObject { ["access"] = canWrite ? "Write" : "Read", ["durationInSeconds"] = (int)access.Pace.GrantLife.TotalSeconds };
            JsonElement? answer = await _manager.PostAsync(path, "beginGetAccess", ResourceManager.DiskVersion, body, $"open '{path}'", cancellationToken).ConfigureAwait(false);
            return _address = answer?.Text("accessSAS") is { } text && Uri.TryCreate(text, UriKind.Absolute, out Uri? url) && url.Scheme == Uri.UriSchemeHttps
                ? url
                : throw ManagementErrors.Senseless("it does not say where the disk is open", path);
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Closes it, whoever has opened it. That it is not open is no failure.</summary>
    /// <exception cref="BackupException">As of <see cref="ResourceManager.GetAsync"/>.</exception>
    public async Task RevokeAsync(CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await CloseAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Ends it here; at Azure it stays open.</summary>
    public void Dispose() => _gate.Dispose();

    private async Task CloseAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _manager.PostAsync(path, "endGetAccess", ResourceManager.DiskVersion, null, $"close '{path}'", cancellationToken).ConfigureAwait(false);
        }
        catch (BackupException e) when (e.Id == BackupErrorId.VirtualMachineNotFound)
        {
            // Nobody can read what is gone.
        }

        _address = null;
    }
}
