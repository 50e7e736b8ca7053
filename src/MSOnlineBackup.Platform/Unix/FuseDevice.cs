using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace MSOnlineBackup.Platform.Unix;

/// <summary>How a file system is mounted that this process serves.</summary>
/// <param name="Source">What listings of mounts show as its device.</param>
/// <param name="AllowOther">Whether other users see it, as far as the permissions of its files go; otherwise nobody does but the one who mounts it, root included.</param>
internal sealed record FuseMounting(string Source, bool AllowOther);

/// <summary>
/// A file system of Linux that this process serves: what the kernel asks is read from the device, and the answers are written to it. Root mounts by itself, others by
/// <c>fusermount3</c>. Results: a negative errno is a failure.
/// </summary>
internal sealed unsafe partial class FuseDevice : IDisposable
{
    private const string Device = "/dev/fuse";
    private const int ReadWrite = 0x2;
    private const int CloseOnExec = 0x8_0000;
    private const int NonBlocking = 0x800;
    private const int SetFlags = 4;
    private const ulong ReadOnly = 0x1;
    private const ulong NoSetId = 0x2;
    private const ulong NoDevices = 0x4;
    private const int Detach = 0x2;

    private readonly int _handle;
    private readonly string _folder;
    private readonly bool _byHelper;

    private FuseDevice(int handle, string folder, bool byHelper) => (_handle, _folder, _byHelper) = (handle, folder, byHelper);

    /// <summary>Whether this system has the device.</summary>
    public static bool IsThere => File.Exists(Device);

    /// <summary>The program by which users other than root mount; null where there is none.</summary>
    public static string? Helper { get; } = (Environment.GetEnvironmentVariable("PATH") ?? string.Empty).Split(':')
        .Select(folder => Path.Combine(folder, "fusermount3")).FirstOrDefault(File.Exists);

    /// <summary>Mounts it on a folder; nothing below it can be seen until somebody answers.</summary>
    /// <param name="folder">The folder, by its full path.</param>
    /// <param name="mounting">How.</param>
    /// <param name="failure">What the helper said where it failed.</param>
    /// <returns>The device; null with a negative errno where it failed.</returns>
    public static (FuseDevice? Device, int Result) Mount(string folder, FuseMounting mounting, out string? failure)
    {
        failure = null;
        if (Libc.EffectiveUser() != 0)
        {
            return MountByHelper(folder, mounting, out failure);
        }

        int handle = Open();
        if (handle < 0)
        {
            return (null, handle);
        }

        string others = mounting.AllowOther ? ",allow_other,default_permissions" : string.Empty;
        string options = string.Create(CultureInfo.InvariantCulture, $"fd={handle},rootmode=40000,user_id=0,group_id=0,max_read=1048576{others}");
        int result;
        fixed (byte* source = Text(mounting.Source))
        fixed (byte* target = Text(folder))
        fixed (byte* type = Text("fuse.msonlinebackup"))
        fixed (byte* data = Text(options))
        {
            result = Result(MountAt(source, target, type, ReadOnly | NoSetId | NoDevices, data));
        }

        if (result >= 0)
        {
            return (new FuseDevice(handle, folder, byHelper: false), 0);
        }

        UnixSystem.Close(handle);
        return (null, result);
    }

    /// <summary>Takes a mount off its folder that nobody serves any more, or that nobody is to see.</summary>
    public static int Unmount(string folder, bool lazily)
    {
        if (Libc.EffectiveUser() != 0)
        {
            return Helper is { } helper && Run(helper, lazily ? ["-u", "-z", "--", folder] : ["-u", "--", folder], null, out _) == 0 ? 0 : -Errno.NotPermitted;
        }

        fixed (byte* target = Text(folder))
        {
            return Result(UnmountAt(target, lazily ? Detach : 0));
        }
    }

    /// <summary>Lays a folder over another one: what is written goes into it, and what is below stays as it is. Only root may.</summary>
    /// <param name="source">What listings of mounts show as its device.</param>
    /// <param name="lower">What is below.</param>
    /// <param name="upper">Where what is written goes.</param>
    /// <param name="work">An empty folder beside it.</param>
    /// <param name="folder">Where both are seen.</param>
    public static int MountOver(string source, string lower, string upper, string work, string folder)
    {
        // Commas and colons in paths would end them.
        string options = $"lowerdir={Escape(lower)},upperdir={Escape(upper)},workdir={Escape(work)}";
        fixed (byte* device = Text(source))
        fixed (byte* target = Text(folder))
        fixed (byte* type = Text("overlay"))
        fixed (byte* data = Text(options))
        {
            return Result(MountAt(device, target, type, NoSetId | NoDevices, data));
        }

        static string Escape(string path) => path.Replace("\\", "\\\\").Replace(":", "\\:").Replace(",", "\\,");
    }

    /// <summary>Waits until the kernel asks for something, or the file system is unmounted.</summary>
    public void Wait()
    {
        var wanted = new Awaited { Handle = _handle, Events = 0x1 };
        _ = PollAll(&wanted, 1, -1);
    }

    /// <summary>Takes what the kernel asks next, without waiting for it. TryAgain (11): nothing; NoSuchDevice (19): it was unmounted.</summary>
    public int Take(Span<byte> request)
    {
        fixed (byte* to = request)
        {
            return Result(ReadFrom(_handle, to, request.Length));
        }
    }

    /// <summary>Answers.</summary>
    public int Write(ReadOnlySpan<byte> answer)
    {
        fixed (byte* from = answer)
        {
            return Result(WriteTo(_handle, from, answer.Length));
        }
    }

    /// <summary>Takes it off its folder. Busy (16): somebody is in it. Lazily: nobody sees it any more, and whoever is in it stays.</summary>
    public int Unmount(bool lazily) => Unmount(_folder, lazily);

    /// <summary>Ends the serving: where this was the last handle, whoever is in it still gets errors.</summary>
    public void Dispose() => UnixSystem.Close(_handle);

    private static int Open()
    {
        fixed (byte* path = Text(Device))
        {
            return Result(OpenAt(path, ReadWrite | NonBlocking | CloseOnExec));
        }
    }

    private static (FuseDevice? Device, int Result) MountByHelper(string folder, FuseMounting mounting, out string? failure)
    {
        failure = null;
        int* pair = stackalloc int[2];
        if (Helper is not { } helper)
        {
            return (null, -Errno.NotPermitted);
        }

        int made = Result(SocketPair(domain: 1, type: 1, protocol: 0, pair));
        if (made < 0)
        {
            return (null, made);
        }

        try
        {
            string others = mounting.AllowOther ? ",allow_other,default_permissions" : string.Empty;
            var socket = new Dictionary<string, string> { ["_FUSE_COMMFD"] = pair[0].ToString(CultureInfo.InvariantCulture) };
            int exit = Run(helper, ["-o", $"ro,nosuid,nodev,fsname={mounting.Source},subtype=msonlinebackup,max_read=1048576{others}", "--", folder], socket, out failure);
            int handle = exit == 0 ? ReceiveHandle(pair[1]) : -Errno.NotPermitted;
            if (handle >= 0)
            {
                _ = ControlFile(handle, SetFlags, ReadWrite | NonBlocking);
            }

            return handle >= 0 ? (new FuseDevice(handle, folder, byHelper: true), 0) : (null, handle);
        }
        finally
        {
            UnixSystem.Close(pair[0]);
            UnixSystem.Close(pair[1]);
        }
    }

    private static int Run(string program, string[] arguments, Dictionary<string, string>? environment, out string? said)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardError = true, UseShellExecute = false };
        foreach ((string name, string value) in environment ?? [])
        {
            start.Environment[name] = value;
        }

        using Process process = Process.Start(start)!;
        said = process.StandardError.ReadToEnd().Trim();
        process.WaitForExit();
        return process.ExitCode;
    }

    // The handle of the device comes beside one byte, in a control message of SOL_SOCKET and SCM_RIGHTS.
    private static int ReceiveHandle(int socket)
    {
        byte content;
        var part = new Part { First = &content, Length = 1 };
        byte* control = stackalloc byte[64];
        var message = new Message { Parts = &part, PartCount = 1, Control = control, ControlLength = 64 };
        int received = Result(Receive(socket, &message, 0x4000_0000));
        const int HeaderLength = 16;
        return received < 0 ? received
            : message.ControlLength >= HeaderLength + sizeof(int) && *(int*)(control + 8) == 1 && *(int*)(control + 12) == 1 ? *(int*)(control + HeaderLength)
            : -Errno.InputOutput;
    }

    private static int Result(long result) => result >= 0 ? (int)result : -Marshal.GetLastPInvokeError();

    private static byte[] Text(string text) => Encoding.UTF8.GetBytes(text + '\0');

    [LibraryImport(Libc.Library, EntryPoint = "open", SetLastError = true)]
    private static partial int OpenAt(byte* path, int flags);

    [LibraryImport(Libc.Library, EntryPoint = "mount", SetLastError = true)]
    private static partial int MountAt(byte* source, byte* target, byte* type, ulong flags, byte* data);

    [LibraryImport(Libc.Library, EntryPoint = "umount2", SetLastError = true)]
    private static partial int UnmountAt(byte* target, int flags);

    [LibraryImport(Libc.Library, EntryPoint = "fcntl", SetLastError = true)]
    private static partial int ControlFile(int handle, int request, int flags);

    [LibraryImport(Libc.Library, EntryPoint = "poll", SetLastError = true)]
    private static partial int PollAll(Awaited* files, uint count, int timeout);

    [LibraryImport(Libc.Library, EntryPoint = "read", SetLastError = true)]
    private static partial nint ReadFrom(int handle, byte* buffer, nint count);

    [LibraryImport(Libc.Library, EntryPoint = "write", SetLastError = true)]
    private static partial nint WriteTo(int handle, byte* buffer, nint count);

    [LibraryImport(Libc.Library, EntryPoint = "socketpair", SetLastError = true)]
    private static partial int SocketPair(int domain, int type, int protocol, int* pair);

    [LibraryImport(Libc.Library, EntryPoint = "recvmsg", SetLastError = true)]
    private static partial nint Receive(int socket, Message* message, int flags);

    /// <summary>struct pollfd.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Awaited
    {
        public int Handle;
        public short Events;
        public short Happened;
    }

    /// <summary>struct iovec.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Part
    {
        public byte* First;
        public nint Length;
    }

    /// <summary>struct msghdr of Linux.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Message
    {
        public void* Name;
        public uint NameLength;
        public Part* Parts;
        public nint PartCount;
        public byte* Control;
        public nint ControlLength;
        public int Flags;
    }
}
