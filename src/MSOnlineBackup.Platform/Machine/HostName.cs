using System.Runtime.InteropServices;
using System.Text;

namespace MSOnlineBackup.Platform.Machine;

/// <summary>
/// What this machine is called where nobody has named it: its whole host name, for of a domain's machines the first part alone is not unique.
/// </summary>
public static unsafe partial class HostName
{
    private const int Room = 256;

    /// <summary>The name now.</summary>
    public static string Current { get; } = Read();

    private static string Read()
    {
        if (OperatingSystem.IsWindows())
        {
            return Environment.MachineName;
        }

        // The runtime's own answer ends before the first dot.
        byte* name = stackalloc byte[Room];
        if (GetHostName(name, Room - 1) != 0)
        {
            return Environment.MachineName;
        }

        name[Room - 1] = 0;
        string text = Encoding.UTF8.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(name)).Trim().TrimEnd('.');
        return text.Length > 0 ? text : Environment.MachineName;
    }

    [LibraryImport("libc", EntryPoint = "gethostname")]
    private static partial int GetHostName(byte* name, nint length);
}
