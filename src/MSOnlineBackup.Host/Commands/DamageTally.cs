using MSOnlineBackup.Host.Rendering;
using MSOnlineBackup.Vaults.Errors;

namespace MSOnlineBackup.Host.Commands;

/// <summary>Tells what of a vault cannot be read while a command lists what can, each thing once.</summary>
internal sealed class DamageTally(IRenderer renderer)
{
    private readonly HashSet<string> _told = [];

    /// <summary>How the command ends.</summary>
    public ExitCode ExitCode => _told.Count == 0 ? ExitCode.Success : ExitCode.CompletedWithSkips;

    /// <summary>Tells it.</summary>
    public void Add(BackupException damage)
    {
        if (_told.Add(damage.Target ?? damage.Message))
        {
            renderer.Warn(damage);
        }
    }
}
