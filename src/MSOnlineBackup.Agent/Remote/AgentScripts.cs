using System.Globalization;

namespace MSOnlineBackup.Agent.Remote;

/// <summary>
/// What is run on another machine, by its <c>sh</c>. Below <c>~/.local/share/obengine</c> lie <c>versions/BUILD/</c>, each with the name of the version before it in
/// <c>.before</c>, and the link <c>obengine</c> to the program of the one that is used. Only a rename changes that link, so at any moment it leads to a whole version.
/// </summary>
/// <remarks>
/// A script is one word of a command line, which the account's login shell reads first, whichever that is: so it has no line feeds, no <c>'</c> and no <c>!</c>. It first says a
/// mark, since a shell may have greeted; then lines of NAME=VALUE, and <c>end</c>.
/// </remarks>
internal static class AgentScripts
{
    /// <summary>The folder there, below the account's home.</summary>
    public const string Place = ".local/share/obengine";

    private const int StageSeconds = 60;

    // $1 is the mark. What ends a script early says why, and has nothing of it left behind. The stage's name tells who has it.
    private static readonly string _begin = Join(
        """
        export LC_ALL=C; umask 022; printf "\n%s\n" "$1"; b="$HOME/.local/share/obengine"; s="$b/.new-$$"; l=0;
        line() { printf "%s" "$1" | tr "\n\r" "  " | cut -c1-1000; };
        room() { d="$b"; until [ -d "$d" ]; do d="${d%/*}"; [ -n "$d" ] || d=/; done; df -Pk "$d" 2>/dev/null | tail -n 1 | { read -r f k u a p; printf "free=%s\n" "$a"; }; };
        fail() { printf "failed=%s\n" "$1"; printf "words=%s\n" "$(line "$2")"; room; printf "end\n"; exit 0; };
        case "$HOME" in /*) ;; *) fail place "HOME is not set" ;; esac;
        trap "exit 1" HUP INT TERM PIPE; trap "rm -rf \"\$s\"; [ \"\$l\" = 0 ] || rm -f \"\$b/.lock\"" 0;
        used() { c=$(readlink "$b/obengine" 2>/dev/null); c="${c#versions/}"; c="${c%/obengine}"; };
        digest() { if command -v sha256sum >/dev/null 2>&1; then sha256sum "$@"; else shasum -a 256 "$@"; fi; };
        answer() { if command -v timeout >/dev/null 2>&1; then timeout STAGE "$1" --version </dev/null 2>&1; else "$1" --version </dev/null 2>&1; fi; };
        """);

    // Of a version: that it is what its list says, that the list is the one that is meant, and that it runs here. $v is its folder, $h how the list's hash begins, $w what it must say.
    private static readonly string _check = Join(
        """
        whole() { g=$(cd "$1" 2>/dev/null && digest obengine.sha256 2>&1); case "$g" in "$h"*) ;; *) e="obengine.sha256 is another: $g"; return 1 ;; esac;
        e=$(cd "$1" && digest -c obengine.sha256 2>&1) || { e=$(printf "%s\n" "$e" | grep -v ": OK" | head -n 3); return 1; }; };
        runs() { e=$(answer "$1/obengine") || return 1; [ "$e" = "$w" ]; };
        """);

    // One at a time has the place for the few moments in which something is exchanged. Whoever was killed has it no more.
    private static readonly string _lock = Join(
        """
        i=0; until ln -s "$$" "$b/.lock" 2>/dev/null; do i=$((i+1)); [ $i -lt STAGE ] || fail busy "$(ln -s "$$" "$b/.lock" 2>&1)";
        p=$(readlink "$b/.lock" 2>/dev/null); if [ -n "$p" ] && kill -0 "$p" 2>/dev/null; then sleep 1; else rm -f "$b/.lock"; fi; done; l=1;
        """);

    // $n is the build. What is used is then the version before; of a version that is put into use once more that stays as it was.
    private static readonly string _use = Join(
        """
        used; [ -d "$b/obengine" ] && fail place "$b/obengine is a folder";
        if [ "$c" = "$n" ]; then rm -f "$b/.link"; else e=$({ printf "%s\n" "$c" > "$b/versions/$n/.before.new" && mv -f "$b/versions/$n/.before.new" "$b/versions/$n/.before"; } 2>&1) || fail place "$e"; sync;
        e=$({ rm -f "$b/.link"; ln -s "versions/$n/obengine" "$b/.link" && mv -f "$b/.link" "$b/obengine"; } 2>&1) || fail place "$e"; fi;
        sync; k=$(cat "$b/versions/$n/.before" 2>/dev/null);
        for d in "$b/versions"/*; do case "${d##*/}" in "$n"|"$k") ;; *) mv "$d" "$b/.old-$$" && rm -rf "$b/.old-$$" ;; esac; done;
        u="$HOME/.local/bin"; t=$(readlink "$u/obengine" 2>/dev/null); if [ "$t" = "$b/obengine" ]; then :; elif [ -e "$u/obengine" ] || [ -h "$u/obengine" ]; then printf "foreign=%s\n" "$u/obengine";
        else { mkdir -p "$u" && ln -s "$b/obengine" "$u/obengine"; } 2>/dev/null || printf "foreign=%s\n" "$u"; fi;
        """);

    // What those have left that were killed.
    private static readonly string _clean = Join(
        """
        for d in "$b"/.new-* "$b"/.old-*; do if [ -d "$d" ]; then kill -0 "${d##*-}" 2>/dev/null || rm -rf "$d"; fi; done;
        """);

    private static readonly string _tell = Join(
        """
        used; printf "program=%s\n" "$b/obengine"; printf "current=%s\n" "$c"; if [ -n "$c" ]; then k=$(cat "$b/versions/$c/.before" 2>/dev/null); if [ -n "$k" ] && [ -x "$b/versions/$k/obengine" ]; then printf "before=%s\n" "$k"; fi; fi;
        """);

    private static readonly string _probe = Join(
        """
        printf "system=%s\n" "$(uname -s)"; printf "machine=%s\n" "$(uname -m)"; case "$(ldd --version 2>&1)" in *musl*) printf "libc=musl\n" ;; esac;
        for t in tar gzip mkdir mv ln rm readlink df tail head tr cut grep cat sync; do command -v $t >/dev/null 2>&1 || printf "missing=%s\n" $t; done;
        command -v sha256sum >/dev/null 2>&1 || command -v shasum >/dev/null 2>&1 || printf "missing=sha256sum\n";
        room; for d in "$b/versions"/*; do if [ -d "$d" ]; then printf "has=%s\n" "${d##*/}"; fi; done;
        for d in "$b/.lock" "$b/.link" "$b"/.new-* "$b"/.old-*; do if [ -e "$d" ] || [ -h "$d" ]; then printf "left=%s\n" "${d##*/}"; fi; done;
        """);

    private static readonly string _answers = Join(
        """
        if [ -n "$c" ]; then printf "version=%s\n" "$(line "$(answer "$b/obengine")")"; fi;
        """);

    private static readonly string _receive = Join(
        """
        n="$2"; h="$3"; w="$4"; e=$(mkdir -p "$b/versions" 2>&1) || fail place "$e";
        """) + _clean + Join(
        """
        rm -rf "$s"; e=$(mkdir "$s" 2>&1) || fail place "$e"; e=$({ gzip -dc | tar -x -o -f - -C "$s"; } 2>&1) || fail unpack "$e";
        whole "$s" || fail hash "$e"; runs "$s" || fail version "$e"; sync;
        """) + _lock + Join(
        """
        if [ -d "$b/versions/$n" ]; then if whole "$b/versions/$n" && runs "$b/versions/$n"; then rm -rf "$s"; else mv "$b/versions/$n" "$b/.old-$$" && rm -rf "$b/.old-$$"; fi; fi;
        if [ -d "$s" ]; then e=$(mv "$s" "$b/versions/$n" 2>&1) || fail place "$e"; fi;
        """);

    private static readonly string _choose = Join("""n="$2"; h="$3"; w="$4";""") + _clean + _lock + Join(
        """
        whole "$b/versions/$n" || fail hash "$e"; runs "$b/versions/$n" || fail version "$e";
        """);

    private static readonly string _remove = Join("""if [ -d "$b" ]; then """) + _lock + Join(
        """
        u="$HOME/.local/bin/obengine"; if [ "$(readlink "$u" 2>/dev/null)" = "$b/obengine" ]; then e=$(rm -f "$u" 2>&1) || fail place "$e"; fi;
        if [ -h "$b/obengine" ]; then e=$(rm -f "$b/obengine" 2>&1) || fail place "$e"; fi; e=$(rm -rf "$b/versions" "$b"/.new-* "$b"/.old-* "$b/.link" 2>&1) || fail place "$e";
        rm -f "$b/.lock"; l=0; rmdir "$b" 2>/dev/null || printf "left=%s\n" "$b"; fi;
        """);

    /// <summary>What the machine is, has and lacks, which builds are there and which is used, and what that says of itself.</summary>
    public static string Probe(string mark) => Command(_begin + _probe + _tell + _answers, mark);

    /// <summary>Takes a package from standard input, compares it, runs it, and puts it into use.</summary>
    public static string Receive(string mark, AgentPackage package) => Command(_begin + _check + _receive + _use + _tell, mark, package.Build, package.ListHash, package.Version);

    /// <summary>Puts a build into use that is there, where it is whole and runs.</summary>
    /// <param name="mark">The mark.</param>
    /// <param name="build">Its name.</param>
    /// <param name="hash">How the hash of its list begins.</param>
    /// <param name="version">What it must say of itself.</param>
    public static string Choose(string mark, string build, string hash, string version) => Command(_begin + _check + _choose + _use + _tell, mark, build, hash, version);

    /// <summary>Removes all that was put there, and nothing else.</summary>
    public static string Remove(string mark) => Command(_begin + _remove, mark);

    /// <summary>Runs the agent as what a server talks with. It has the place of the shell, so nothing is between them.</summary>
    public static string BackUp(string mark) => $"exec sh -c 'printf \"\\n%s\\n\" \"$1\"; exec \"$HOME/{Place}/obengine\" serve backup --stdio' sh '{mark}'";

    private static string Command(string script, params string[] arguments) => $"exec sh -c '{script} printf \"end\\n\"' sh {string.Join(' ', arguments.Select(argument => $"'{argument}'"))}";

    private static string Join(string script) => script.ReplaceLineEndings(" ").Replace("STAGE", StageSeconds.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal) + " ";
}
