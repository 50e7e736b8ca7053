using MSOnlineBackup.Agent.Workloads.SqlServer;
using MSOnlineBackup.Testing;

namespace MSOnlineBackup.Engine.Tests.Workloads;

/// <summary>A program in the place of sqlcmd, with a server behind it that has two databases and what belongs to the system. It answers in the form that is documented, and writes down what it is asked.</summary>
internal sealed class SqlcmdDouble : IDisposable
{
    private const string Fork = "3F2504E0-4F89-11D3-9A0C-0305E82C3301";
    private const uint Program = 0x1C0;

    // The last argument is the statement. Of a backup the number of the database stands in the name of its file.
    private const string Script = """
        #!/bin/bash
        cd "$(dirname "$0")/server" || exit 9
        for q; do :; done
        printf '%s\n' "$q" >>asked
        printf '%s\n' "${@:1:$#-1}" >arguments
        printf '%s\n' "$SQLCMDPASSWORD" >password
        if [ -f fail ] && [[ "$q" == *"$(head -n 1 fail)"* ]]; then tail -n +2 fail >&2; exit 1; fi
        f=${q##*@f nvarchar(4000) = N\'}; f=${f%%\'*}
        b=$(basename "$f"); id=${b#d}; id=${id%%-*}
        lsn() { awk -F'|' -v i="$id" '$4 == i {print $8}' databases; }
        set_lsn() { awk -F'|' -v OFS='|' -v i="$id" -v l="$1" '$4 == i {$8 = l} {print}' databases >databases.new && mv databases.new databases; }
        case "$q" in
        *"R|S|"*)
            echo "R|S|$(cat version)|730071006C003100|$(date -u +%FT%T.%3N)|60"; cat databases; echo "R|E" ;;
        *"BACKUP DATABASE"*)
            if [ -z "$(lsn)" ] && [ "$(awk -F'|' -v i="$id" '$4 == i {print $6}' databases)" != 3 ]; then set_lsn 100; fi
            echo "full of $id" >"$f"; echo "R|B|90|110|FORK" >"sets-$b"
            echo "Processed 328 pages for database 'x', file 'x' on file 1." >&2 ;;
        *"BACKUP LOG"*)
            l=$(lsn); echo "log of $id from $l" >"$f"; echo "R|B|$l|$((l + 50))|FORK" >"sets-$b"; set_lsn $((l + 50)) ;;
        *"RESTORE VERIFYONLY"*)
            [ -f "$f" ] || exit 1; echo "The backup set on file 1 is valid." >&2 ;;
        *"R|B|"*)
            cat "sets-$b"; echo "R|F|61007000700031000A00|D"; echo "R|F|6C006F006700|L"; echo "R|E" ;;
        *) exit 8 ;;
        esac
        """;

    private readonly TempFolder _folder = new();

    public SqlcmdDouble()
    {
        Directory.CreateDirectory(_folder["server"]);
        Directory.CreateDirectory(_folder["backup"]);
        File.WriteAllText(_folder["sqlcmd"], Script.ReplaceLineEndings("\n").Replace("FORK", Fork, StringComparison.Ordinal));
        UnixFile.SetMode(UnixFile.Raw(_folder["sqlcmd"]), Program);
        File.WriteAllText(_folder["server/version"], "16.0.4105.2");
        File.WriteAllText(_folder["server/asked"], "");
        SetDatabases(Row("master", 1, 0, 3), Row("app", 5, 0, 1), Row("it's]; $(x)\n", 6, 0, 3));
    }

    /// <summary>The folder that has the program.</summary>
    public string Folder => _folder.Path;

    /// <summary>The folder to which the server writes.</summary>
    public string Backup => _folder["backup"];

    /// <summary>What it was asked, a statement a line.</summary>
    public string[] Asked => File.ReadAllLines(_folder["server/asked"]);

    public string[] Arguments => File.ReadAllLines(_folder["server/arguments"]);

    public string Password => File.ReadAllText(_folder["server/password"]).Trim();

    public static string Row(string name, int id, int state, int model, string lsn = "") => $"R|D|{SqlText.Hex(name)}|{id}|{state}|{model}|{Fork}|{lsn}";

    public void SetDatabases(params string[] rows) => File.WriteAllLines(_folder["server/databases"], rows);

    public void SetVersion(string version) => File.WriteAllText(_folder["server/version"], version);

    /// <summary>What has a text in it fails.</summary>
    public void Fail(string text, string said) => File.WriteAllText(_folder["server/fail"], text + "\n" + said + "\n");

    public void Mend() => File.Delete(_folder["server/fail"]);

    /// <summary>Somebody else backs up the log of app.</summary>
    public void BackUpElsewhere() => SetDatabases([.. File.ReadAllLines(_folder["server/databases"]).Select(row => row.Contains("|5|0|", StringComparison.Ordinal) ? row[..row.LastIndexOf('|')] + "|9999" : row)]);

    public string PathOf(string name) => _folder[name];

    public void Dispose() => _folder.Dispose();
}
